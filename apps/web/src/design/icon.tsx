const ICONS = {
  search: 'M18 11a7 7 0 1 1-14 0a7 7 0 0 1 14 0zM21 21l-4.8-4.8',
  pen: 'M4 20h4L19.5 8.5l-4-4L4 16zM13.5 6.5l4 4',
  compose:
    'M20 13v6a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 19V6a1.5 1.5 0 0 1 1.5-1.5H11M10 14.5l.8-3.3L18.5 3.5l2.5 2.5l-7.7 7.7z',
  plus: 'M12 5v14M5 12h14',
  back: 'M15 5l-7 7l7 7',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7',
  checks: 'M2 12.8l4.2 4.2L15 7.5M11.5 16l1 1L22 7.5',
  clock: 'M21 12a9 9 0 1 1-18 0a9 9 0 0 1 18 0zM12 7v5.2l3 1.8',
  alert: 'M21 12a9 9 0 1 1-18 0a9 9 0 0 1 18 0zM12 7.5v5.5M12 16.3v.1',
  smile: 'M21 12a9 9 0 1 1-18 0a9 9 0 0 1 18 0zM8.3 14.2a4.3 4.3 0 0 0 7.4 0M9 9.3v.4M15 9.3v.4',
  reply: 'M10 9V5l-7 6.5L10 18v-4c5 0 8 1.3 11 5c-.7-6-4-10-11-10z',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  trash: 'M4.5 7h15M9.5 7V4h5v3M6.5 7l1 13h9l1-13M10.5 11v5.5M13.5 11v5.5',
  copy: 'M9 9h11v11H9zM5.5 15H4V4h11v1.5',
  info: 'M21 12a9 9 0 1 1-18 0a9 9 0 0 1 18 0zM12 11.5v5M12 7.5v.1',
  pin: 'M9 4h6l-.8 6l3.8 4H6l3.8-4zM12 14v6.5',
  mute: 'M18.5 16h-13L7.5 13V9.5A4.5 4.5 0 0 1 14.5 5.7M16.5 9.5V13l2 3M10 19.5h4M4 3.5l16 17',
  bell: 'M5.5 16h13l-2-3V9.5a4.5 4.5 0 0 0-9 0V13zM10 19.5h4',
  archive: 'M4.5 8.5h15v11.5h-15zM3.5 4h17v4.5h-17zM10 12.5h4',
  send: 'M4 12L20.5 4L14 20.5l-2.8-6.7z',
  clip: 'M20 11.5l-8.3 8.3a5 5 0 0 1-7.1-7.1L13 4.4a3.4 3.4 0 0 1 4.8 4.8L9.5 17.4a1.7 1.7 0 0 1-2.4-2.4l7.4-7.4',
  users:
    'M12.5 8a3.5 3.5 0 1 1-7 0a3.5 3.5 0 0 1 7 0zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.3a6.5 6.5 0 0 1 3.5 5.7',
  addUser: 'M13.5 8a3.5 3.5 0 1 1-7 0a3.5 3.5 0 0 1 7 0zM3 20a7 7 0 0 1 14 0M19.5 7.5v6M16.5 10.5h6',
  logout: 'M10 4H4.5v16H10M15 7.5l4.5 4.5l-4.5 4.5M19.5 12H9',
  sliders:
    'M4 7h8M18 7h2M4 17h2M12 17h8M17.5 7a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0zM11.5 17a2.5 2.5 0 1 1-5 0a2.5 2.5 0 0 1 5 0z',
  down: 'M5.5 9l6.5 6.5L18.5 9',
  file: 'M6.5 3h7.5l4.5 4.5V21h-12zM14 3v4.5h4.5',
  download: 'M12 4v11M7 10.5l5 5l5-5M4.5 20h15',
  block: 'M21 12a9 9 0 1 1-18 0a9 9 0 0 1 18 0zM5.8 5.8l12.4 12.4',
  shield: 'M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5c-4.5-1.5-7.5-5-7.5-9.5V6z',
  retry: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.5M20 4v5.5h-5.5',
  chat: 'M5.5 4.5h13A2.5 2.5 0 0 1 21 7v7.5a2.5 2.5 0 0 1-2.5 2.5H11l-5 4v-4h-.5A2.5 2.5 0 0 1 3 14.5V7a2.5 2.5 0 0 1 2.5-2.5z',
} as const;

export type IconName = keyof typeof ICONS;

/** A drawing beside a text, or in a control that has its name elsewhere: screen readers pass over it. */
export function Icon({ name, small = false }: { name: IconName; small?: boolean }) {
  return (
    <svg className={small ? 'icon icon-small' : 'icon'} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={ICONS[name]} strokeWidth={name === 'more' ? 3 : undefined} />
    </svg>
  );
}

/** A square control that shows a drawing and says `label`. */
export function IconButton({
  icon,
  label,
  className = '',
  ...rest
}: { icon: IconName; label: string } & React.ComponentProps<'button'>) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
