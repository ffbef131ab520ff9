// Tabs as the ARIA practices have them: arrow keys move between them, Tab goes on to the panel.

/** Makes tabs of the buttons in a tablist; each names its panel by aria-controls. */
export function tabs(list) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const one of all) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
  };
  for (const tab of all) tab.addEventListener("click", () => choose(tab));
  list.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -all.length, End: all.length }[event.key];
    if (!by) return;
    const next = Math.abs(by) === 1 ? (all.indexOf(document.activeElement) + by + all.length) % all.length : by < 0 ? 0 : all.length - 1;
    event.preventDefault();
    all[next].focus();
    choose(all[next]);
  });
  choose(all[0]);
}
