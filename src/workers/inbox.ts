// Hands messages on in the order they came, a few milliseconds' worth per turn of the event loop.
//
// A message that finds nothing waiting is handed on at once. A heap of them (a snapshot of a million routes is two hundred, and Node brings
// them in one turn) is spread over turns, so that sockets and timers have theirs in between.

const SLICE_MS = 5;

export class Inbox<Message> {
  readonly #take: (message: Message) => void;
  readonly #waiting: Message[] = [];
  #isScheduled = false;

  constructor(take: (message: Message) => void) {
    this.#take = take;
  }

  put(message: Message): void {
    this.#waiting.push(message);
    if (!this.#isScheduled) this.#takeSlice();
  }

  #takeSlice(): void {
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#waiting.length > 0) this.#takeSlice();
    });
    const end = performance.now() + SLICE_MS;
    do this.#take(this.#waiting.shift()!);
    while (this.#waiting.length > 0 && performance.now() < end);
  }
}
