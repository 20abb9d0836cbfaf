// What a peer connection says of itself.

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
