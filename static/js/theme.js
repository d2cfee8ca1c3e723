// Sets the chosen theme before the first paint, which is why it is a blocking script. Django's
// admin keeps its choice under the same key and attribute, so both share one. The attribute also
// tells the stylesheets that scripts run.
"use strict";
(() => {
  const THEMES = ["auto", "light", "dark"];
  const root = document.documentElement;

  function remembered() {
    try {
      const theme = localStorage.getItem("theme");
      return THEMES.includes(theme) ? theme : "auto";
    } catch {
      return "auto"; // storage is closed to us
    }
  }

  function show(theme) {
    root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
    }
  }

  function choose(theme) {
    show(theme);
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // It holds for this page then.
    }
  }

  show(remembered());
  document.addEventListener("DOMContentLoaded", () => {
    show(remembered());
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.addEventListener("click", () => choose(button.dataset.setTheme));
    }
  });
  addEventListener("storage", (event) => {
    if (event.key === "theme") show(remembered()); // chosen in another tab
  });
})();
