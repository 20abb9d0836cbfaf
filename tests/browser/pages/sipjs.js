// A phone made of SIP.js.

import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from "sip.js";
import { Mailbox } from "./mailbox.js";
import { serve } from "./phone.js";

class SipJsPhone {
  #agent;
  #registerer;
  #session;
  #ended;
  #incoming = new Mailbox();
  #ringing;

  constructor({ server, uri, user, password }) {
    this.#agent = new UserAgent({
      uri: UserAgent.makeURI(uri),
      transportOptions: { server },
      authorizationUsername: user,
      authorizationPassword: password,
      sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] } },
      delegate: { onInvite: (invitation) => this.#keep(invitation) },
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
    return this.#established(session, (reject) => session.accept().catch(reject));
  }

  // As SIP.js's own SessionManager holds.
  async hold(held) {
    const session = this.#session;
    session.sessionDescriptionHandlerOptionsReInvite = { hold: held };
    await new Promise((resolve, reject) => {
      const requestDelegate = { onAccept: () => resolve(), onReject: ({ message }) => reject(refusal(message)) };
      session.invite({ requestDelegate }).catch(reject);
    });
    session.sessionDescriptionHandler.enableReceiverTracks(!held);
    session.sessionDescriptionHandler.enableSenderTracks(!held);
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

  #keep(session) {
    const cancelled = new Promise((resolve) => (session.delegate = { onCancel: () => resolve() }));
    this.#incoming.put({ session, cancelled });
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
