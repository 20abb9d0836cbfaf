// A phone made of JsSIP.

import JsSIP from "jssip";
import { serve } from "./phone.js";

class JsSipPhone {
  #agent;
  #session;

  constructor({ server, uri, user, password }) {
    this.#agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(server)],
      uri,
      authorization_user: user,
      password,
      register: true,
      register_expires: 600,
    });
  }

  register() {
    return this.#on(["registered"], ["registrationFailed", "disconnected"], () => this.#agent.start());
  }

  // The peer connection, once the call is answered and the answer acknowledged.
  call(target) {
    return new Promise((resolve, reject) => {
      const session = this.#agent.call(target, {
        mediaConstraints: { audio: true, video: false },
        pcConfig: { iceServers: [] },
        eventHandlers: {
          confirmed: () => resolve(session.connection),
          failed: ({ cause, message }) => reject(failure("refused or lost", cause, message)),
        },
      });
      this.#session = session;
    });
  }

  // JsSIP does not tell what the BYE was answered with; the driver sees it on the wire.
  hangUp() {
    return new Promise((resolve) => {
      this.#session.once("ended", () => resolve());
      this.#session.terminate();
    });
  }

  async unregister() {
    await this.#on(["unregistered"], ["registrationFailed"], () => this.#agent.unregister());
    await this.#on(["disconnected"], [], () => this.#agent.stop());
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
