import {useCallback, useEffect, useRef, useState, type RefObject} from 'react';

/** Lights an element up whenever `value` has become another one; and at first, where it is `fresh`. */
export function useFlash<Element extends HTMLElement>(value: unknown, fresh: boolean): RefObject<Element | null> {
  const element = useRef<Element>(null);
  const before = useRef(fresh ? undefined : value);
  useEffect(() => {
    if (before.current !== value) element.current?.animate([{backgroundColor: 'var(--flash)'}, {}], {duration: 2400, easing: 'ease-out'});
    before.current = value;
  }, [value]);
  return element;
}

/** Whether what is rendered now was not there when the list was read first. */
export function useFresh(state: string): boolean {
  const [fresh, setFresh] = useState(false);
  useEffect(() => setFresh(state === 'ready'), [state]);
  return fresh;
}

/** Tries something, and says what went wrong until the next try. */
export function useAttempt(): [string | undefined, (trying: Promise<unknown>) => void] {
  const [problem, setProblem] = useState<string>();
  const attempt = useCallback((trying: Promise<unknown>) => {
    setProblem(undefined);
    trying.catch((error: Error) => setProblem(error.message));
  }, []);
  return [problem, attempt];
}
