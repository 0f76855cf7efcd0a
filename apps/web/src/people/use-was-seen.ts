import { useEffect, useState } from 'react';

/** So near to the screen counts as seen: a quick scroll meets faces. */
const NEAR = '200px';

const told = new WeakMap<Element, () => void>();
let observer: IntersectionObserver | undefined;

/** One for all: a page has many faces. */
function theObserver(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) told.get(target)?.();
    },
    { rootMargin: NEAR },
  );
  return observer;
}

/** Whether an element has been on the screen, or nearly. */
export function useWasSeen(place: React.RefObject<Element | null>): boolean {
  const [wasSeen, setSeen] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (wasSeen || !element) return;
    told.set(element, () => setSeen(true));
    theObserver().observe(element);
    return () => theObserver().unobserve(element);
  }, [place, wasSeen]);
  return wasSeen;
}
