"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const one = (id) => document.getElementById(id);

  const theme = one("theme");
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = dark() ? "Light" : "Dark"; theme.setAttribute("aria-label", theme.textContent + " colours"); };
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });
  name();

  const copied = (text) => navigator.clipboard && isSecureContext ? navigator.clipboard.writeText(text) : Promise.reject(new Error("no clipboard"));
  for (const button of all("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const code = button.parentElement.querySelector("code");
      const say = (text) => { button.textContent = text; setTimeout(() => { button.textContent = "Copy"; }, 2000); };
      copied(code.textContent).then(() => say("Copied"), () => { getSelection().selectAllChildren(code); say("Selected"); });
    });
  }

  const form = one("filter");
  if (!form) return;
  form.hidden = false;
  const search = one("search");
  const requirements = all("details.requirement");
  const texts = new Map(requirements.map((r) => [r, r.textContent.toLowerCase()]));
  const chosen = (kind) => new Set(all(`input[name=${kind}]:checked`, form).map((box) => box.value));

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = chosen("verdict"), levels = chosen("level");
    let shown = 0;
    for (const requirement of requirements) {
      const text = texts.get(requirement);
      const fits = verdicts.has(requirement.dataset.verdict) && levels.has(requirement.dataset.level) && words.every((word) => text.includes(word));
      requirement.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const part of all(".group, .part")) part.hidden = !part.querySelector("details.requirement:not([hidden])");
    one("shown").textContent = `${shown} of ${requirements.length} shown`;
    one("none").hidden = shown > 0;
  };
  const clear = () => {
    search.value = "";
    for (const box of all("input[type=checkbox]", form)) box.checked = true;
    apply();
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  one("clear").addEventListener("click", () => { clear(); search.focus(); });
  one("open").addEventListener("click", () => requirements.forEach((r) => { r.open = r.open || !r.hidden; }));
  one("close").addEventListener("click", () => requirements.forEach((r) => { r.open = false; }));
  search.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); search.value = ""; apply(); } });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  const reveal = () => {
    const named = location.hash.length > 1 && one(decodeURIComponent(location.hash.slice(1)));
    if (!named || !named.matches("details.requirement")) return;
    if (named.hidden) clear();
    named.open = true;
    named.scrollIntoView();
    named.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  for (const link of all("a[href^='#']")) link.addEventListener("click", () => { if (link.hash === location.hash) reveal(); });
  apply();
  reveal();
})();
