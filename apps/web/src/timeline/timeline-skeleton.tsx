const WIDTHS = ['skeleton-a', 'skeleton-b', 'skeleton-c', 'skeleton-b', 'skeleton-a', 'skeleton-c'];

/** Where messages will be. */
export function TimelineSkeleton() {
  return (
    <div className="timeline-skeleton" aria-hidden="true">
      {WIDTHS.map((width, index) => (
        <div key={index} className={`skeleton ${width}`} />
      ))}
    </div>
  );
}
