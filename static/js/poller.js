// Ask again and again, less often while nothing changes, not at all while the page is hidden.

const FASTEST_MS = 1000;
const SLOWEST_MS = 10000;
const GROWTH = 1.4;

/**
 * Call `ask` until `isFinal(answer)`; hand every answer to `show`.
 * Returns {stop, wake}: `wake` asks at once and starts anew after the end.
 */
export function poll({ ask, show, isFinal, onError = () => {} }) {
  let waitMs = FASTEST_MS;
  let timer = null;
  let lastText = "";
  let isStopped = false;
  let isAsking = false;
  let isAskedAgain = false;

  function later() {
    clearTimeout(timer);
    timer = isStopped ? null : setTimeout(round, waitMs);
  }

  async function round() {
    if (isAsking) {
      isAskedAgain = true;
      return;
    }
    if (document.hidden) {
      later();
      return;
    }
    isAsking = true;
    try {
      const answer = await ask();
      const text = JSON.stringify(answer);
      waitMs = text === lastText ? Math.min(SLOWEST_MS, waitMs * GROWTH) : FASTEST_MS;
      lastText = text;
      if (!isStopped) show(answer);
      if (isFinal(answer)) isStopped = true;
    } catch (error) {
      waitMs = Math.min(SLOWEST_MS, waitMs * 2);
      onError(error);
    }
    isAsking = false;
    if (isAskedAgain) {
      isAskedAgain = false;
      isStopped = false;
      round();
    } else {
      later();
    }
  }

  function wake() {
    isStopped = false;
    waitMs = FASTEST_MS;
    clearTimeout(timer);
    round();
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && timer !== null) wake();
  });
  timer = setTimeout(round, waitMs);
  return {
    wake,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      timer = null;
    },
  };
}
