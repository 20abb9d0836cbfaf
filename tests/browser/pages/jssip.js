// A phone made of JsSIP.

import JsSIP from "jssip";
import { Mailbox } from "./mailbox.js";
import { serve } from "./phone.js";

const media = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };

class JsSipPhone {
  #agent;
  #session;
  #ended;
  #incoming = new Mailbox();
  #ringing;

  constructor({ server, uri, user, password }) {
    this.#agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(server)],
      uri,
      authorization_user: user,
      password,
      register: true,
      register_expires: 600,
    });
    this.#agent.on("newRTCSession", ({ originator, session }) => originator === "remote" && this.#keep(session));
  }

  register() {
    return this.#on(["registered"], ["registrationFailed", "disconnected"], () => this.#agent.start());
  }

  // The peer connection, once the call is answered and the answer acknowledged.
  call(target) {
    return new Promise((resolve, reject) => {
      const eventHandlers = this.#handlers(() => session, resolve, reject);
      const session = this.#agent.call(target, { ...media, eventHandlers });
    });
  }

  // Resolves when a call has come, which rings then.
  async ring() {
    this.#ringing ??= await this.#incoming.take();
  }

  // Resolves when the caller has taken back the call that rings.
  async cancelled() {
    await this.#ringing.cancelled;
    this.#ringing = undefined;
  }

  // The peer connection of the call that rings, or comes.
  async answer() {
    await this.ring();
    const { session } = this.#ringing;
    this.#ringing = undefined;
    return new Promise((resolve, reject) => {
      for (const [event, act] of Object.entries(this.#handlers(() => session, resolve, reject))) {
        session.on(event, act);
      }
      session.answer(media);
    });
  }

  // Resolves when the other side has hung up.
  ended() {
    return this.#ended;
  }

  // JsSIP does not tell what the BYE was answered with; the driver sees it on the wire.
  hangUp() {
    return new Promise((resolve) => {
      this.#session.once("ended", () => resolve());
      this.#session.terminate();
    });
  }

  // JsSIP ends the call if the re-INVITE is refused.
  hold(held) {
    return new Promise((resolve, reject) => {
      const act = held ? "hold" : "unhold";
      this.#session.once("ended", ({ cause }) => reject(new Error(`the call ended: ${cause}`)));
      if (!this.#session[act]({}, resolve)) reject(new Error(`JsSIP cannot ${act} now`));
    });
  }

  async unregister() {
    await this.#on(["unregistered"], ["registrationFailed"], () => this.#agent.unregister());
    await this.#on(["disconnected"], [], () => this.#agent.stop());
  }

  #keep(session) {
    const cancelled = new Promise((resolve, reject) => {
      session.once("failed", ({ originator, cause, message }) =>
        cause === JsSIP.C.causes.CANCELED ? resolve() : reject(failure(`ended by ${originator}`, cause, message)),
      );
    });
    cancelled.catch(() => {}); // an error only while somebody waits for it
    this.#incoming.put({ session, cancelled });
  }

  #handlers(session, resolve, reject) {
    return {
      confirmed: () => {
        this.#session = session();
        this.#ended = new Promise((done, failed) => {
          this.#session.once("ended", ({ originator, cause }) =>
            originator === "remote" ? done() : failed(new Error(`ended by itself: ${cause}`)),
          );
        });
        this.#ended.catch(() => {}); // whoever hangs up here does not ask
        resolve(this.#session.connection);
      },
      failed: ({ cause, message }) => reject(failure("refused or lost", cause, message)),
    };
  }

  #on(good, bad, act) {
    return new Promise((resolve, reject) => {
      for (const event of good) this.#agent.once(event, () => resolve());
      for (const event of bad) {
        this.#agent.once(event, ({ cause, response, reason }) => reject(failure(event, cause ?? reason, response)));
      }
      act();
    });
  }
}

function failure(what, cause, response) {
  const status = response?.status_code ? ` (${response.status_code} ${response.reason_phrase})` : "";
  return new Error(`${what}: ${cause}${status}`);
}

serve(JsSipPhone);
