/* Rows of a list: the one in hand, the drawer beside it, and polls that leave both in place. */
(() => {
  "use strict";

  const list = () => document.getElementById("item-list");
  const drawer = () => document.getElementById("drawer");
  const isOpen = () => Boolean(drawer() && drawer().open);
  const links = () => [...document.querySelectorAll("#item-list a[data-drawer]")];
  let inHand = "";

  const rowOf = (element) => element && element.closest && element.closest("tr[data-item]");
  const current = () => {
    const row = rowOf(document.activeElement);
    if (row) return row.querySelector("a[data-drawer]");
    return isOpen() ? document.getElementById(inHand) : null;
  };

  /* The list says where drawers are, of item 0; a row knows only its own id and reference */
  const address = (what, link) => list().dataset[what].replace("/0/", `/${rowOf(link).dataset.item}/`);

  /* The drawer */
  const show = (then) => {
    if (!isOpen()) drawer().showModal();
    const first = then && document.querySelector(then);
    (first || document.getElementById("drawer-open")).focus();
  };
  const arrival = new Promise((resolve) => document.addEventListener("DOMContentLoaded", () => setTimeout(resolve)));
  const fill = async (verb, address, values) => {
    await arrival; // there are rows to look at before there is anything to ask with
    await window.htmx.ajax(verb, address, { source: drawer(), target: "#drawer-body", swap: "innerHTML", values });
  };
  const open = (link, then) => {
    inHand = link.id;
    fill("GET", address("drawer", link)).then(() => show(then));
  };
  const walk = (step) => {
    const all = links();
    const next = all[all.findIndex((link) => link.id === inHand) + step];
    if (next) open(next);
  };
  const backToRow = () => {
    const link = document.getElementById(inHand);
    if (link) link.focus();
  };

  /* One key on one row */
  const retry = (link) => {
    inHand = link.id;
    fill("POST", address("handle", link), { act: "retry", in_list: "1" }).then(() => {
      if (document.querySelector("#drawer-item [role=alert]")) show();
      else backToRow();
    });
  };
  const FIELDS = { a: "#act-assign select", s: "#act-snooze select", t: "#act-tag input.field" };
  const inDrawer = (key) => {
    const field = document.querySelector(FIELDS[key]);
    if (field) field.focus();
  };
  const isTicked = () => {
    const bar = document.getElementById("bulk-bar");
    return Boolean(bar && bar.dataset.ticked !== "none");
  };

  const onRow = (key, link) => {
    if (key === "Enter" && document.activeElement === link) open(link);
    else if (key === "r") retry(link);
    else if (FIELDS[key]) open(link, FIELDS[key]);
    else if (key === "h") window.location.assign(`${list().dataset.outside}&ids=${rowOf(link).dataset.item}`);
    else if (key === "c") navigator.clipboard.writeText(link.dataset.drawer).then(() => say(`Copied ${link.dataset.drawer}`));
    else return false;
    return true;
  };
  const onDrawer = (key) => {
    if (key === "j") walk(1);
    else if (key === "k") walk(-1);
    else if (FIELDS[key]) inDrawer(key);
    else if (key === "r") {
      const button = document.getElementById("do-retry");
      if (button) button.click();
    } else if (key === "c") document.querySelector("#drawer-item [data-copy]").click();
    else if (key === "h") window.location.assign(`${list().dataset.outside}&ids=${document.getElementById("drawer-item").dataset.item}`);
    else return false;
    return true;
  };
  const onTicked = (key) => {
    const link = document.querySelector(`#bulk-bar [data-bulk-key="${key}"]`);
    if (!link) return false;
    link.click();
    return true;
  };

  const say = (text) => {
    const region = document.getElementById("announcer");
    if (region) region.textContent = text;
  };

  document.addEventListener("rampbridge:key", (event) => {
    if (!list() || document.querySelector("dialog[open]:not(#drawer)")) return;
    const { key } = event.detail;
    const link = current();
    const isDone = isOpen() ? onDrawer(key) : (isTicked() && onTicked(key)) || (link && onRow(key, link));
    if (isDone) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const peek = event.target.closest("[data-peek]");
    if (peek) open(rowOf(peek).querySelector("a[data-drawer]"));
    else if (event.target === drawer()) drawer().close();
  });

  /* A poll says which rows are here, and whether somebody has the list in hand */
  const isHeld = () => {
    if (isOpen() || document.querySelector("details.menu[open]")) return true;
    const focused = document.activeElement;
    return Boolean(focused && list() && list().contains(focused));
  };
  const addRows = (event) => {
    const { elt, parameters, headers } = event.detail;
    if (elt.matches("form[data-tidy]")) {
      for (const [name, value] of Object.entries(parameters)) if (value === "") delete parameters[name];
    }
    if (!elt.matches("[data-poll-rows]") || !("X-Live-Poll" in headers)) return;
    const rows = [...document.querySelectorAll("#item-list tr[data-item]")];
    parameters.shown = rows.map((row) => `${row.dataset.item}.${row.dataset.version}`).join(",");
    if (isHeld()) parameters.held = "1";
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.body.addEventListener("htmx:configRequest", addRows);
    if (drawer()) drawer().addEventListener("close", backToRow);
    for (const form of document.querySelectorAll("form[data-once]")) {
      form.addEventListener("submit", (event) => {
        if (form.dataset.sent) event.preventDefault();
        form.dataset.sent = "1";
      });
    }
    const save = document.querySelector("[data-save-view]");
    if (save) {
      save.addEventListener("submit", () => {
        save.elements.query.value = window.location.search;
      });
    }
  });
})();
