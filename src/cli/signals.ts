/** Ctrl-C and SIGTERM, as commands that run until they are stopped take them. */

/** A terminal sends Ctrl-C to the whole group and npm passes it on once more: what comes this soon (ms) is the same one. */
const sameSignal = 500;

/** Calls back at the first SIGINT or SIGTERM; a second one ends the process at once. Gives the way to stop listening. */
export function onStopSignal(stop: () => void): () => void {
  let asked: number | undefined;
  const onSignal = () => {
    if (asked !== undefined && performance.now() - asked > sameSignal) process.exit(1);
    if (asked !== undefined) return;
    asked = performance.now();
    stop();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  };
}
