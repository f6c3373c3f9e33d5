// Tabs by mouse, by keyboard (arrows, Home, End) and by the address's fragment.

/** Wires the tabs; `onShow` is called with the panel's id. */
export function tabs(list, onShow) {
  const all = [...list.querySelectorAll('[role="tab"]')];
  const show = (tab, withFocus) => {
    for (const other of all) {
      const isShown = other === tab;
      other.setAttribute('aria-selected', String(isShown));
      other.tabIndex = isShown ? 0 : -1;
      document.getElementById(other.getAttribute('aria-controls')).hidden = !isShown;
    }
    if (withFocus) tab.focus();
    const name = tab.getAttribute('aria-controls');
    history.replaceState(null, '', `#${name}`);
    onShow(name);
  };
  for (const tab of all) tab.addEventListener('click', () => show(tab, false));
  list.addEventListener('keydown', (event) => {
    const at = all.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    show(all[to % all.length], true);
  });
  const named = () => all.find((tab) => `#${tab.getAttribute('aria-controls')}` === location.hash);
  addEventListener('hashchange', () => named() && show(named(), false));
  show(named() ?? all[0], false);
}
