/* The migration wizard: its keys, the evidence drawer, and polls that never take away what somebody
   has typed. */
(() => {
  "use strict";

  const wizard = () => document.getElementById("wizard");

  /* n and p walk through the steps, e shows the evidence; c is everybody's */
  const press = (key) => {
    const target = document.querySelector(`[data-key~="${key}"]`);
    if (target) target.click();
    return Boolean(target);
  };
  document.addEventListener("rampbridge:key", (event) => {
    if (!wizard() || document.querySelector("dialog[open]")) return;
    if (["n", "p", "e"].includes(event.detail.key) && press(event.detail.key)) event.preventDefault();
  });

  /* What was typed and not sent is kept: the part around it is not swapped, and says so */
  const isDirty = (part) =>
    [...part.querySelectorAll("input:not([type=hidden], [type=search]), textarea, select")].some((field) => {
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.tagName === "SELECT") return [...field.options].some((one) => one.selected !== one.defaultSelected);
      return field.value !== field.defaultValue;
    });
  let sent = null;
  const tell = (part) => {
    if (part.querySelector(".wizard-news")) return;
    const news = document.createElement("p");
    news.className = "notice tone-customer wizard-news";
    news.setAttribute("role", "status");
    news.textContent = "This has changed meanwhile. What you have typed is still here; send it, or load the page again.";
    part.append(news);
  };
  let wasOpen = true;
  const keepTyped = (event) => {
    const part = event.detail.target;
    if (part && part.id === "wizard-steps") wasOpen = part.querySelector("details").open;
    if (!wizard() || !part || !part.isConnected || (sent && part.contains(sent)) || !isDirty(part)) return;
    event.detail.shouldSwap = false;
    tell(part);
  };

  /* The evidence of the step, beside it */
  const showEvidence = (link) => {
    const drawer = document.getElementById("evidence-drawer");
    window.htmx.ajax("GET", link.href, { source: drawer, target: "#evidence-body", swap: "innerHTML" }).then(() => {
      if (!drawer.open) drawer.showModal();
      document.getElementById("evidence-close").focus();
    });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-evidence], [data-print]");
    if (!link) return;
    if (link.matches("[data-print]")) {
      window.print();
      return;
    }
    // The link leads to a page of its own, too
    if (!window.htmx || event.ctrlKey || event.metaKey || event.shiftKey || !document.getElementById("evidence-drawer")) return;
    event.preventDefault();
    showEvidence(link);
  });

  /* On a phone the task list is a line to open */
  const narrow = matchMedia("(max-width: 63.99rem)");
  const fold = () => {
    const tasks = document.querySelector(".wizard-tasks");
    if (tasks) tasks.open = !narrow.matches;
  };
  narrow.addEventListener("change", fold);

  document.addEventListener("DOMContentLoaded", () => {
    fold();
    document.body.addEventListener("htmx:beforeRequest", (event) => {
      if (event.detail.elt.matches("form")) sent = event.detail.elt;
    });
    document.body.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.elt === sent) sent = null;
    });
    document.body.addEventListener("htmx:oobBeforeSwap", keepTyped);
    document.body.addEventListener("htmx:oobAfterSwap", (event) => {
      const tasks = event.detail.target.id === "wizard-steps" && document.querySelector(".wizard-tasks");
      if (tasks) tasks.open = wasOpen;
    });
    document.body.addEventListener("htmx:load", (event) => {
      // A form that was asked for is where one goes on
      const field = event.detail.elt.id === "act-form" && event.detail.elt.querySelector("textarea, input.field");
      if (field) field.focus();
    });
    document.body.addEventListener("htmx:beforeSwap", (event) => {
      // Somebody else was faster: the answer shows the step as it is now, and says so
      if (event.detail.xhr.status === 409 && wizard()) {
        event.detail.shouldSwap = true;
        event.detail.isError = false;
      }
    });
  });
})();
