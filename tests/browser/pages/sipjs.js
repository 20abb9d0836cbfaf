// A phone made of SIP.js.

import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from "sip.js";
import { serve } from "./phone.js";

class SipJsPhone {
  #agent;
  #registerer;
  #session;
  #ended;
  #invitation; // to come

  constructor({ server, uri, user, password }) {
    let invite;
    this.#invitation = new Promise((resolve) => (invite = resolve));
    this.#agent = new UserAgent({
      uri: UserAgent.makeURI(uri),
      transportOptions: { server },
      authorizationUsername: user,
      authorizationPassword: password,
      sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] } },
      delegate: { onInvite: invite },
    });
  }

  async register() {
    await this.#agent.start();
    this.#registerer = new Registerer(this.#agent, { expires: 600 });
    await this.#becomes(RegistererState.Registered, (options) => this.#registerer.register(options));
  }

  // The peer connection, once the call is answered and the answer acknowledged.
  call(target) {
    const session = new Inviter(this.#agent, UserAgent.makeURI(target));
    return this.#established(session, (reject) => {
      const onReject = ({ message }) => reject(refusal(message));
      session.invite({ requestDelegate: { onReject } }).catch(reject);
    });
  }

  // The same of the call that comes.
  async answer() {
    const session = await this.#invitation;
    return this.#established(session, (reject) => session.accept().catch(reject));
  }

  // Resolves when the call is over.
  ended() {
    return this.#ended;
  }

  hangUp() {
    return new Promise((resolve, reject) => {
      const requestDelegate = { onAccept: () => resolve(), onReject: ({ message }) => reject(refusal(message)) };
      this.#session.bye({ requestDelegate }).catch(reject);
    });
  }

  async unregister() {
    await this.#becomes(RegistererState.Unregistered, (options) => this.#registerer.unregister(options));
    await this.#agent.stop();
  }

  #established(session, act) {
    this.#session = session;
    this.#ended = new Promise((resolve) => {
      session.stateChange.addListener((state) => state === SessionState.Terminated && resolve());
    });
    return new Promise((resolve, reject) => {
      session.stateChange.addListener((state) => {
        if (state === SessionState.Established) resolve(session.sessionDescriptionHandler.peerConnection);
        // SIP.js tells onReject only after this.
        if (state === SessionState.Terminated) queueMicrotask(() => reject(new Error("the call ended early")));
      });
      act(reject);
    });
  }

  #becomes(state, act) {
    return new Promise((resolve, reject) => {
      this.#registerer.stateChange.addListener((now) => now === state && resolve());
      act({ requestDelegate: { onReject: ({ message }) => reject(refusal(message)) } }).catch(reject);
    });
  }
}

function refusal(message) {
  return new Error(`refused: ${message.statusCode} ${message.reasonPhrase}`);
}

serve(SipJsPhone);
