// What a peer connection says of itself.

// Hides the addresses in what peer connections say of themselves, as Chromium does for pages that may
// not use the microphone: names under .local, which nobody here resolves, and an unspecified address.
export function hideAddresses() {
  const hidden = (sdp) =>
    sdp
      .replace(/^a=candidate:.* tcp .*\r\n/gim, "")
      .replace(/^(a=candidate:(?:\S+ ){4})\S+/gim, "$111111111-2222-4333-8444-555555555555.local")
      .replace(/^c=IN .*$/gm, "c=IN IP4 0.0.0.0");
  const { prototype } = RTCPeerConnection;
  const { get } = Object.getOwnPropertyDescriptor(prototype, "localDescription");
  Object.defineProperty(prototype, "localDescription", {
    get() {
      const own = get.call(this);
      return own && new RTCSessionDescription({ type: own.type, sdp: hidden(own.sdp) });
    },
  });
}

export function connected(connection) {
  return new Promise((resolve, reject) => {
    const look = () => {
      const state = connection.connectionState;
      if (state === "connected") resolve();
      if (state === "failed" || state === "closed") {
        reject(new Error(`the peer connection ${state}: ICE ${connection.iceConnectionState}`));
      }
    };
    connection.addEventListener("connectionstatechange", look);
    look();
  });
}

// The statistics a call is judged by; undefined where Chromium has none yet.
export async function sample(connection) {
  if (connection.connectionState !== "connected") {
    throw new Error(`the peer connection is ${connection.connectionState}`);
  }
  const stats = await connection.getStats();
  const all = [...stats.values()];
  const audio = (type) => all.find((one) => one.type === type && one.kind === "audio");
  const transport = all.find(({ type }) => type === "transport");
  const pair = stats.get(transport?.selectedCandidatePairId);
  const inbound = audio("inbound-rtp");
  const report = audio("remote-inbound-rtp");
  return {
    at: inbound?.timestamp, // ms
    dtlsState: transport?.dtlsState,
    tlsVersion: transport?.tlsVersion,
    srtpCipher: transport?.srtpCipher,
    localCandidate: stats.get(pair?.localCandidateId)?.candidateType,
    remoteCandidate: stats.get(pair?.remoteCandidateId)?.candidateType,
    codec: stats.get(inbound?.codecId)?.mimeType,
    packetsSent: audio("outbound-rtp")?.packetsSent,
    packetsReceived: inbound?.packetsReceived,
    packetsLost: inbound?.packetsLost,
    energySent: audio("media-source")?.totalAudioEnergy,
    energyReceived: inbound?.totalAudioEnergy,
    secondsReceived: inbound?.totalSamplesDuration,
    roundTripTime: report?.roundTripTime,
    lossReported: report?.packetsLost,
  };
}

// A function that gives the frequency, in hertz, of what is loudest in a stream at that time.
export function listen(stream) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  context.createMediaStreamSource(stream).connect(analyser);
  const levels = new Float32Array(analyser.frequencyBinCount);
  return () => {
    analyser.getFloatFrequencyData(levels);
    return (levels.indexOf(Math.max(...levels)) * context.sampleRate) / analyser.fftSize;
  };
}
