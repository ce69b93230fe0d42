/* Times as people want them: "12 min ago" or to the second, and what o'clock it is at the customer's. */
(() => {
  "use strict";

  const root = document.documentElement;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isExact = () => localStorage.getItem("times") === "exact";

  const apply = () => {
    if (isExact()) root.dataset.times = "exact";
    else delete root.dataset.times;
    for (const button of document.querySelectorAll("[data-times-switch]")) {
      button.setAttribute("aria-pressed", String(isExact()));
    }
    document.dispatchEvent(new Event("times"));
  };
  const turn = () => {
    localStorage.setItem("times", isExact() ? "relative" : "exact");
    apply();
  };

  /* One zone is the customer's: where it is another than the viewer's, both are told. */
  const zoneOfPage = () => {
    const element = document.querySelector("[data-zone]");
    return element && element.dataset.zone !== here ? element : null;
  };
  const inZone = (zone, moment) =>
    new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
    }).format(moment);
  const tellZone = () => {
    const element = zoneOfPage();
    if (!element) return;
    const zone = element.dataset.zone;
    let clock = element.querySelector(".zone-now");
    if (!clock) {
      clock = document.createElement("span");
      clock.className = "zone-now small muted";
      element.append(clock);
    }
    clock.textContent = `it is ${inZone(zone, new Date())} there`;
    for (const time of document.querySelectorAll("time[data-relative][title]:not([data-zoned])")) {
      time.dataset.zoned = zone;
      time.title += ` (${inZone(zone, new Date(time.dateTime))} ${zone.split("/").pop().replaceAll("_", " ")})`;
    }
  };

  if (isExact()) root.dataset.times = "exact";
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-times-switch]")) turn();
  });
  document.addEventListener("DOMContentLoaded", () => {
    tellZone();
    apply();
    setInterval(tellZone, 30000);
    document.body.addEventListener("htmx:load", tellZone);
  });
})();
