import { Icon, type IconName } from './icon.jsx';

interface ToggleProps {
  readonly icon: IconName;
  readonly label: string;
  readonly isOn: boolean;
  /** @param control what was pressed; not every browser gives it the focus */
  readonly onChange: (isOn: boolean, control: HTMLElement) => void;
}

/** A line that is on or off. */
export function Toggle(props: ToggleProps) {
  return (
    <button
      type="button"
      role="switch"
      className="details-action"
      aria-checked={props.isOn}
      onClick={(event) => props.onChange(!props.isOn, event.currentTarget)}
    >
      <Icon name={props.icon} />
      <span>{props.label}</span>
      <i className="switch" aria-hidden="true" />
    </button>
  );
}
