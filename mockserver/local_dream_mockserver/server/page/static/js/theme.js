// Light or dark: as the system has it, until the button says otherwise. The choice is kept in this browser.

import { byId } from "./dom.js";

const KEY = "local-dream-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function themeButton() {
  const root = document.documentElement;
  const show = () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    byId("theme").setAttribute("aria-label", now === "dark" ? "Light colours" : "Dark colours");
    byId("theme").dataset.now = now;
  };
  root.dataset.theme = stored() ?? "";
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = byId("theme").dataset.now === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, root.dataset.theme);
    } catch { /* a browser that keeps nothing */ }
    show();
  });
  dark.addEventListener("change", show);
  show();
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
