import { Icon, type IconName } from './icon.jsx';

/** A line that is on or off. */
export function Toggle(props: { icon: IconName; label: string; isOn: boolean; onChange: (isOn: boolean) => void }) {
  return (
    <button
      type="button"
      role="switch"
      className="details-action"
      aria-checked={props.isOn}
      onClick={() => props.onChange(!props.isOn)}
    >
      <Icon name={props.icon} />
      <span>{props.label}</span>
      <i className="switch" aria-hidden="true" />
    </button>
  );
}
