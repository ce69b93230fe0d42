/* Ticks: each goes to the server at once, in order, and the bar that comes back says what is ticked. */
(() => {
  "use strict";

  const bar = () => document.getElementById("bulk-bar");
  const boxes = () => [...document.querySelectorAll("#item-list [data-pick]")];
  let wanted = new Map(); // what has not been sent yet: id -> ticked
  let isSending = false;
  let anchor = null;

  const markPage = () => {
    const page = document.querySelector("[data-pick-page]");
    if (!page) return;
    const all = boxes();
    const ticked = all.filter((box) => box.checked).length;
    page.checked = all.length > 0 && ticked === all.length;
    page.indeterminate = ticked > 0 && ticked < all.length;
  };

  const arrival = new Promise((resolve) => document.addEventListener("DOMContentLoaded", () => setTimeout(resolve)));

  /* Whether the server has taken it: it answers with a bar, and anything else leaves the old one */
  const post = async (values) => {
    await arrival; // there are boxes to tick before there is anything to send with
    const before = bar();
    const options = { source: before, target: "#bulk-bar", swap: "outerHTML", values };
    await window.htmx.ajax("POST", before.dataset.select, options).catch(() => {});
    const isTaken = bar() !== before;
    if (!isTaken) {
      const region = document.getElementById("announcer");
      region.textContent = "The server did not take the ticks. They are as they were.";
    }
    return isTaken;
  };

  const send = async () => {
    if (isSending) return;
    isSending = true;
    while (wanted.size) {
      const sent = wanted;
      wanted = new Map();
      const ids = (ticked) => [...sent].filter(([, on]) => on === ticked).map(([id]) => id).join(",");
      // What is not ticked there must not look ticked here
      const isSent = await post({ on: ids(true), off: ids(false) });
      if (!isSent || bar().querySelector(".bulk-problem")) refuse(sent);
    }
    isSending = false;
  };
  const refuse = (sent) => {
    for (const box of boxes()) if (sent.has(box.value)) box.checked = !sent.get(box.value);
    markPage();
  };

  const tick = (some, on) => {
    for (const box of some) {
      box.checked = on;
      wanted.set(box.value, on);
    }
    markPage();
    send();
  };
  const range = (from, to) => {
    const all = boxes();
    const [first, last] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
    return first < 0 ? [to] : all.slice(first, last + 1);
  };
  const pick = (box, on, isRange) => {
    const start = isRange && anchor && anchor.isConnected ? anchor : box;
    tick(range(start, box), on);
    anchor = box;
  };

  const tickAll = async (which) => {
    if (!(await post({ tick: which }))) return;
    for (const box of boxes()) box.checked = which === "all";
    markPage();
  };

  document.addEventListener("click", (event) => {
    const all = event.target.closest("[data-tick]");
    if (all) {
      tickAll(all.dataset.tick);
      return;
    }
    const box = event.target.closest("[data-pick]");
    if (box) pick(box, box.checked, event.shiftKey);
    const page = event.target.closest("[data-pick-page]");
    if (page) tick(boxes(), page.checked);
  });

  document.addEventListener("rampbridge:key", (event) => {
    const { key } = event.detail;
    if ((key !== "x" && key !== "X") || document.querySelector("dialog[open]")) return;
    const row = document.activeElement && document.activeElement.closest("tr[data-item]");
    const box = row && row.querySelector("[data-pick]");
    if (!box) return;
    pick(box, key === "X" ? true : !box.checked, key === "X");
    event.preventDefault();
  });

  /* No poll may draw rows before the server knows their ticks */
  const isPending = () => isSending || wanted.size > 0;
  document.addEventListener("rampbridge:poll", (event) => {
    if (isPending()) event.preventDefault();
  });
  document.addEventListener("DOMContentLoaded", () => {
    markPage();
    document.body.addEventListener("htmx:beforeSwap", (event) => {
      if (isPending() && event.detail.requestConfig.elt.matches("[data-poll-rows]")) event.detail.shouldSwap = false;
    });
    document.body.addEventListener("htmx:afterSettle", markPage);
  });
})();
