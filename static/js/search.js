/* The list under the search field: arrows walk it, Enter opens, Escape closes it and keeps the text. */
(() => {
  "use strict";

  const field = () => document.getElementById("search");
  const list = () => document.getElementById("suggestions");
  const options = () => [...list().querySelectorAll('[role="option"]')];
  const isOpen = () => !list().hidden;

  const choose = (option) => {
    for (const one of options()) one.setAttribute("aria-selected", String(one === option));
    if (option) {
      field().setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field().removeAttribute("aria-activedescendant");
  };
  const show = (open) => {
    list().hidden = !open;
    field().setAttribute("aria-expanded", String(open));
    if (!open) choose(null);
  };
  const walk = (step) => {
    const all = options();
    const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    choose(all[(at + step + all.length + (at < 0 && step < 0 ? 1 : 0)) % all.length]);
  };

  const keys = {
    ArrowDown: () => walk(1),
    ArrowUp: () => walk(-1),
    Escape: () => show(false),
    Tab: () => show(false),
  };
  /* In the capturing phase: the page's own Escape would leave the field */
  const onKey = (event) => {
    if (event.target !== field() || event.isComposing) return;
    if (event.key === "ArrowDown" && !isOpen() && options().length) show(true);
    if (!isOpen()) return;
    const chosen = options().find((one) => one.getAttribute("aria-selected") === "true");
    if (event.key === "Enter" && chosen) {
      event.preventDefault();
      chosen.click();
    } else if (keys[event.key]) {
      keys[event.key]();
      if (event.key === "Tab") return;
      event.preventDefault();
      event.stopPropagation();
    }
  };

  document.addEventListener("keydown", onKey, true);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target === list()) show(options().length > 0 && document.activeElement === field());
  });
  document.addEventListener("focusout", (event) => {
    if (event.target === field() && !list().contains(event.relatedTarget)) show(false);
  });
  /* A press on an option must not take the focus first: the list would be gone before the click */
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("#suggestions")) event.preventDefault();
  });
})();
