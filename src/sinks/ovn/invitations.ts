// Invites prefixes that were refused for want of room when there is some, and keeps it free for them for a while.
import type { Admission } from './admission.ts';
import type { RouteEvents } from './route-events.ts';

/** How long room is kept free for prefixes that were told of it. */
const INVITATION_MS = 1000;

export interface InvitationParts {
  readonly admission: Admission;
  readonly events: RouteEvents;
  isReady(): boolean;
  isApplying(): boolean;
}

export class Invitations {
  readonly #parts: InvitationParts;
  #lapsing: NodeJS.Timeout | undefined;

  constructor(parts: InvitationParts) {
    this.#parts = parts;
  }

  /** There may be room. */
  send(): void {
    const { admission, events, isReady } = this.#parts;
    if (!isReady()) return;
    const invited = admission.invite();
    events.released(invited);
    if (invited.length > 0) this.#awaitInvited();
  }

  close(): void {
    clearTimeout(this.#lapsing);
  }

  /** Prefixes that nobody wants any more come in no batch: the room kept free for them goes to the next. */
  #awaitInvited(): void {
    clearTimeout(this.#lapsing);
    this.#lapsing = setTimeout(() => {
      if (this.#parts.isApplying()) this.#awaitInvited();
      else if (this.#parts.admission.lapse()) this.send();
    }, INVITATION_MS);
    this.#lapsing.unref();
  }
}
