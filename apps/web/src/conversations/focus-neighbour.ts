/** Arrow keys, Home and End move the focus along the elements of a list. */
export function focusNeighbour(event: React.KeyboardEvent, list: HTMLElement | null, selector: string): void {
  const elements = [...(list?.querySelectorAll<HTMLElement>(selector) ?? [])];
  const at = elements.indexOf((event.target as HTMLElement).closest(selector) as HTMLElement);
  const last = elements.length - 1;
  const places: Record<string, number> = {
    ArrowDown: Math.min(at + 1, last),
    ArrowUp: Math.max(at - 1, 0),
    Home: 0,
    End: last,
  };
  const next = places[event.key];
  if (next === undefined || at < 0 || event.altKey) return;
  event.preventDefault();
  elements[next]?.focus();
}
