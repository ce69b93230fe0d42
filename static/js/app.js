/* What the pages need beyond HTML: theme, keyboard, copying, times that stay true, and polite polling.
   Loaded in the head, so that the theme is set before the first paint. */
(() => {
  "use strict";

  /* Theme: the system's unless somebody chose */
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("theme");
  const applyTheme = () => {
    root.dataset.bsTheme = chosen() || (system.matches ? "dark" : "light");
  };
  applyTheme();
  system.addEventListener("change", applyTheme);

  const switchTheme = () => {
    localStorage.setItem("theme", root.dataset.bsTheme === "dark" ? "light" : "dark");
    applyTheme();
    announce(`${root.dataset.bsTheme === "dark" ? "Dark" : "Light"} theme`);
  };

  /* One polite live region for everything that happens without a page load */
  const announce = (text) => {
    const region = document.getElementById("announcer");
    if (region) region.textContent = text;
  };

  /* Copying an id */
  const copy = async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("is-copied");
    announce(button.dataset.copied || `Copied ${button.dataset.copy}`);
    setTimeout(() => button.classList.remove("is-copied"), 1500);
  };

  /* Relative times: the server writes them, we keep them true */
  const MINUTE = 60;
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;
  const span = (seconds) => {
    if (seconds < MINUTE) return `${seconds} s`;
    if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
    if (seconds < DAY) {
      const minutes = Math.floor((seconds % HOUR) / MINUTE);
      return `${Math.floor(seconds / HOUR)} h${minutes ? ` ${minutes} min` : ""}`;
    }
    const hours = Math.floor((seconds % DAY) / HOUR);
    return `${Math.floor(seconds / DAY)} d${hours ? ` ${hours} h` : ""}`;
  };
  const WORDING = {
    age: (seconds) => span(Math.max(seconds, 0)),
    countdown: (seconds) => {
      const left = Math.max(-seconds, 0);
      return `${Math.floor(left / MINUTE)}:${String(left % MINUTE).padStart(2, "0")}`;
    },
    ago: (seconds) => (seconds < 0 ? `in ${span(-seconds)}` : seconds < 5 ? "just now" : `${span(seconds)} ago`),
  };
  /* "21 Nov 2026, 12:03:43 UTC" as a list has room for: the title keeps the rest */
  const exactly = (title) => title.split(" (")[0].replace(/ \d{4}, (\d\d:\d\d):\d\d/, ", $1");
  /* On paper how long something has lasted stays so: beside it stands as of when */
  const EXACT = { exact: ["ago", "age"], printed: ["ago"] };
  let isOnPaper = false;
  const refreshTimes = (which = "time[data-relative]") => {
    for (const element of document.querySelectorAll(which)) {
      const seconds = Math.floor((Date.now() - Date.parse(element.dateTime)) / 1000);
      const isExact = EXACT[isOnPaper ? "printed" : root.dataset.times]?.includes(element.dataset.relative) && element.title;
      const text = isExact ? exactly(element.title) : WORDING[element.dataset.relative](seconds);
      if (element.textContent !== text) element.textContent = text;
    }
  };

  /* Polling: only what is on screen, slower while nothing changes, at once when the tab comes back */
  const WAITS = [2, 2, 2, 5, 5, 15];
  const typing = (target) =>
    target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  /* Nothing is swapped under somebody's hands: not while a field in it has the focus, nor between the press of
     a button and its release, which would be no click. The page may not hear of the release of a select, which
     opens a list above it; but that has the focus. */
  let pressed = null;
  const press = ({ button, target }) => (pressed = button === 0 && !target.closest("select") ? target : null);
  document.addEventListener("pointerdown", press, true);
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => setTimeout(() => (pressed = null)), true);
  }
  const isHeld = (element) =>
    element.contains(pressed) || (element.contains(document.activeElement) && typing(document.activeElement));
  /* An act's answer goes where it was aimed at. A poll that swapped that meanwhile would lose it, so the answer
     of the poll on its way is let go, and the next one waits. */
  const aims = new Map();
  const polls = new Map();
  const outdated = new WeakSet();
  const isAimedAt = (element) =>
    [...aims.values()].some((target) => target.contains(element) || element.contains(target));
  const aim = (request) => {
    const isPoll = "X-Live-Poll" in request.requestConfig.headers;
    const kept = isPoll ? polls : aims;
    kept.set(request.xhr, request.target);
    // Not with htmx's own word for it: nobody hears that of what has left the page meanwhile
    request.xhr.addEventListener("loadend", () => kept.delete(request.xhr));
    for (const [xhr, target] of polls) if (isAimedAt(target)) outdated.add(xhr);
  };
  const ring = (element) => {
    if (document.hidden || !window.htmx || !element.isConnected) return;
    // A page may ask for patience too, such as while a tick is on its way to the server
    const isWanted = element.dispatchEvent(new CustomEvent("rampbridge:poll", { bubbles: true, cancelable: true }));
    if (isHeld(element) || isAimedAt(element) || !isWanted) schedule(element, 0);
    else window.htmx.trigger(element, "poll");
  };
  const schedule = (element, quiet) => {
    const wait = WAITS[Math.min(quiet, WAITS.length - 1)] * 1000;
    clearTimeout(element.pollTimer);
    element.quiet = quiet;
    element.pollTimer = setTimeout(() => ring(element), wait);
  };
  const pollers = () => document.querySelectorAll("[data-poll]");

  /* Rows: j and k walk, Enter is the link's own */
  const rows = () => [...document.querySelectorAll("[data-row] a.row-link")];
  const walk = (step) => {
    const links = rows();
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
    links[next].focus();
    links[next].closest("[data-row]").scrollIntoView({ block: "nearest" });
  };

  const go = (key) => {
    const link = document.querySelector(`[data-go="${key}"]`);
    if (link) link.click();
  };
  /* Where g leads is the navigation's to say, so the help reads it there */
  const listWays = () => {
    const list = document.getElementById("keyboard-ways");
    list.replaceChildren();
    const listed = new Set();
    for (const link of document.querySelectorAll("[data-go]")) {
      if (listed.has(link.dataset.go)) continue; // a phone's menu has it once more
      listed.add(link.dataset.go);
      const keys = document.createElement("dt");
      for (const key of ["g", link.dataset.go]) {
        const cap = document.createElement("kbd");
        cap.textContent = key;
        keys.append(cap);
      }
      const name = document.createElement("dd");
      name.textContent = (link.dataset.goName || link.innerText).replace(/\s*[\d,]+\+?\s*$/, "").trim();
      list.append(keys, name);
    }
  };
  const help = () => {
    const dialog = document.getElementById("keyboard-help");
    if (dialog.open) {
      dialog.close();
      return;
    }
    listWays();
    dialog.showModal();
  };
  const setShortcuts = (event) => localStorage.setItem("shortcuts", event.target.checked ? "on" : "off");
  const act = (name) => {
    const button = document.querySelector(`[data-key~="${name}"]`);
    if (button) button.click();
  };

  /* Milliseconds between g and what follows it, as the keys were pressed and not as we came to hear of them */
  const GO_WITHIN = 3000;
  let goUntil = 0;
  const KEYS = {
    "/": () => document.getElementById("search").focus(),
    j: () => walk(1),
    k: () => walk(-1),
    c: () => act("c"),
    r: () => act("r"),
    a: () => act("a"),
    s: () => act("s"),
    h: () => act("h"),
    t: () => act("t"),
    "?": help,
  };
  /* Single keys disturb speech input, so they can be turned off */
  const shortcutsOn = () => localStorage.getItem("shortcuts") !== "off";

  /* Keys pressed while the page still arrives mean what they will mean once it is there */
  const early = [];
  let hasArrived = false;
  const replay = () => {
    hasArrived = true;
    for (const key of early.splice(0)) {
      const target = key === "Enter" ? document.activeElement : document.body;
      const isLeft = target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      // What the browser makes of a pressed key, it does not make of this one
      if (key === "Enter" && isLeft) target.click();
    }
  };
  // A task later, when everybody else who waits for the page is ready too
  document.addEventListener("DOMContentLoaded", () => setTimeout(replay));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (!shortcutsOn()) return;
    if (!hasArrived) {
      if (event.key.length === 1) early.push(event.key);
      else if (event.key === "Enter" && early.length) {
        event.preventDefault(); // it is for where the keys before it lead
        early.push(event.key);
      }
      return;
    }
    if (event.timeStamp < goUntil) {
      goUntil = 0;
      go(event.key);
      return;
    }
    if (event.key === "g") {
      goUntil = event.timeStamp + GO_WITHIN;
      return;
    }
    // Lists know better what a key means on a row
    const pressed = new CustomEvent("rampbridge:key", { cancelable: true, detail: { key: event.key } });
    if (!document.dispatchEvent(pressed)) {
      event.preventDefault();
      return;
    }
    const action = KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-copy], [data-theme-switch], [data-help], [data-close]");
    if (!target) return;
    if (target.matches("[data-copy]")) copy(target);
    else if (target.matches("[data-theme-switch]")) switchTheme();
    else if (target.matches("[data-help]")) help();
    else if (target.closest("dialog")) target.closest("dialog").close();
  });

  /* A menu closes when one clicks or tabs out of it */
  const closeMenus = (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  };
  document.addEventListener("click", closeMenus);
  document.addEventListener("focusin", closeMenus);

  /* What somebody opened stays open when its part is drawn anew */
  const opened = new Set();
  document.addEventListener(
    "toggle",
    (event) => {
      if (!event.target.matches("details[data-keep-open]")) return;
      if (event.target.open) opened.add(event.target.id);
      else opened.delete(event.target.id);
    },
    true,
  );
  let focused = "";
  const reopen = () => {
    for (const details of document.querySelectorAll("details[data-keep-open]")) {
      if (opened.has(details.id)) details.open = true;
    }
    // While it was closed nothing in it could take the focus back
    const before = focused && document.getElementById(focused);
    if (before && document.activeElement === document.body) before.focus({ preventScroll: true });
    focused = "";
  };

  /* An answer shows what was asked for: what somebody has typed since goes on in the new field, and asks anew */
  let typedOn = null;
  const keepTyping = ({ target, requestConfig }) => {
    const field = document.activeElement;
    const { elt, verb, formData } = requestConfig;
    const isAsked = verb === "get" && target.contains(field) && elt.contains(field) && Boolean(field.id && typing(field));
    const isNewer = isAsked && field.value !== (formData.get(field.name) ?? "");
    typedOn = isNewer ? { id: field.id, value: field.value, at: field.selectionStart } : null;
  };
  const typeOn = () => {
    if (!typedOn) return;
    const { id, value, at } = typedOn;
    const field = document.getElementById(id);
    typedOn = null;
    if (!field) return;
    field.value = value;
    if (typeof at === "number") field.setSelectionRange(at, at);
    field.dispatchEvent(new Event(field.matches("select") ? "change" : "input", { bubbles: true }));
  };

  /* What an act has said stays long enough to be read, whatever a poll brings meanwhile */
  const READING = 10000;
  let said = null;
  const keepSaid = (target, isPoll) => {
    const notice = target.querySelector("[data-said]");
    said = null;
    if (isPoll && notice && Date.now() - notice.saidAt < READING) said = { notice, id: target.id };
  };
  const saySaid = () => {
    for (const notice of document.querySelectorAll("[data-said]")) notice.saidAt = notice.saidAt || Date.now();
    const target = said && document.getElementById(said.id);
    if (target && !target.querySelector("[data-said]")) target.prepend(said.notice);
    said = null;
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    refreshTimes();
    for (const element of pollers()) ring(element);
  });

  /* Where tabs do not fit side by side, the one that is open must not be the one out of sight */
  const showOpenTabs = () => {
    for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
      const strip = tab.closest(".tabs");
      const [outer, inner] = [strip.getBoundingClientRect(), tab.getBoundingClientRect()];
      if (inner.right > outer.right || inner.left < outer.left) {
        strip.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
      }
    }
  };

  /* Days go from left to right: where they do not fit, today must not be out of sight */
  const showNewest = () => {
    for (const frame of document.querySelectorAll("[data-newest-last]")) {
      if (frame.wasShown) continue;
      frame.wasShown = true;
      frame.scrollLeft = frame.scrollWidth;
    }
  };

  /* Paper does not count on: it has exact times, and its own, and the address as the filters made it */
  const dressForPrint = () => {
    document.getElementById("print-address")?.replaceChildren(location.pathname + location.search);
    const moment = new Date().toLocaleString("en-GB", {
      timeZone: "UTC", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
    });
    document.getElementById("print-time")?.replaceChildren(`${moment} UTC`);
    isOnPaper = true;
    refreshTimes();
  };
  const undress = () => {
    isOnPaper = false;
    refreshTimes();
  };

  addEventListener("beforeprint", dressForPrint);
  addEventListener("afterprint", undress);
  document.addEventListener("times", () => refreshTimes());
  document.addEventListener("DOMContentLoaded", () => {
    showOpenTabs();
    showNewest();
    for (const element of pollers()) schedule(element, 0);
    setInterval(refreshTimes, 10000);
    setInterval(refreshTimes, 1000, 'time[data-relative="countdown"]');
    const shortcuts = document.getElementById("shortcuts");
    if (shortcuts) {
      shortcuts.checked = shortcutsOn();
      shortcuts.addEventListener("change", setShortcuts);
    }

    document.body.addEventListener("htmx:configRequest", (event) => {
      // What stands in a polled part inherits its headers, and is somebody's act all the same
      const { headers, triggeringEvent } = event.detail;
      if (!triggeringEvent || triggeringEvent.type !== "poll") delete headers["X-Live-Poll"];
    });
    document.body.addEventListener("htmx:beforeRequest", (event) => aim(event.detail));
    document.body.addEventListener("htmx:afterRequest", (event) => {
      const element = event.detail.elt;
      if (!element.matches("[data-poll]")) return;
      const changed = event.detail.xhr.status === 200;
      schedule(element, changed ? 0 : (element.quiet || 0) + 1);
    });
    document.body.addEventListener("htmx:load", (event) => {
      refreshTimes();
      reopen();
      showOpenTabs();
      showNewest();
      for (const element of pollers()) if (!element.pollTimer) schedule(element, 0);
      const text = event.detail.elt.dataset && event.detail.elt.dataset.announce;
      if (text) announce(text);
    });
    document.body.addEventListener("htmx:afterSwap", saySaid);
    document.body.addEventListener("htmx:afterSettle", typeOn);
    document.body.addEventListener("htmx:beforeSwap", (event) => {
      const isPoll = "X-Live-Poll" in event.detail.requestConfig.headers;
      focused = event.detail.target.contains(document.activeElement) ? document.activeElement.id : "";
      keepSaid(event.detail.target, isPoll);
      if (isPoll && (isHeld(event.detail.target) || outdated.has(event.detail.xhr))) {
        event.detail.shouldSwap = false;
        return;
      }
      keepTyping(event.detail);
      if (event.detail.xhr.status === 422) {
        event.detail.shouldSwap = true;
        event.detail.isError = false;
      }
    });
    document.body.addEventListener("htmx:sendError", () => announce("No answer from the server. We keep trying."));
  });
})();
