#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/report/failure_cause.hpp"
#include "engine/report/failure_details.hpp"
#include "engine/report/histogram.hpp"
#include "engine/report/mos_distribution.hpp"
#include "engine/report/status_matrix.hpp"

namespace jackfield::report {

/// Arrivals and what became of them. Once a run has ended, offered = started + missed() and
/// started = completed + failed + busy + unanswered; before that, the rest are under way.
struct call_counts {
  uint64_t offered = 0; ///< arrivals that were due
  uint64_t started = 0; ///< of these, attempts whose first INVITE was handed to the transport
  uint64_t missed_by_limit = 0;     ///< not started: the user's own cap on concurrent calls
  uint64_t missed_by_generator = 0; ///< not started: we could not keep up; makes a run invalid
  uint64_t answered = 0;            ///< got a 2xx
  uint64_t completed = 0;           ///< answered, ran its length, and ended with a confirmed BYE
  uint64_t busy = 0;                ///< answering: refused with 486, as was asked for
  uint64_t unanswered = 0;          ///< answering: rang until it was cancelled or refused, likewise
  uint64_t failed = 0;              ///< everything else that ended
  uint64_t current = 0;             ///< under way now
  /// Highest `current`. Merging adds: an upper bound that is exact when all lanes peak together; a
  /// coordinator that knows better overwrites it.
  uint64_t peak = 0;
  std::map<failure_cause, uint64_t> failures; ///< sums to `failed`
  failure_details details;                    ///< what was said of them
  uint64_t ended_by_caller = 0;               ///< of the answered, who hung up
  uint64_t ended_by_callee = 0;

  [[nodiscard]] uint64_t missed() const noexcept { return missed_by_limit + missed_by_generator; }

  void offer() noexcept { ++offered; }
  void start() noexcept;
  void answer() noexcept { ++answered; }
  void complete() noexcept;
  void refuse_as_busy() noexcept;
  void leave_unanswered() noexcept;
  /// `cause` must not be `none`. `detail`: as in `failure_details`.
  void fail(failure_cause cause, std::string_view detail = {});
  void merge(const call_counts& other);
};

/// How attempts at a session ended, one entry an attempt: retransmissions and the round trip of a
/// challenge belong to the attempt. The basis of the RFC 6076 ratios.
struct session_outcomes {
  /// By final status of the INVITE, 200 to 699. An attempt that timed out counts as 408 and one
  /// that the transport failed as 503, as RFC 3261 section 8.1.3.1 tells a UAC to treat them.
  std::map<uint16_t, uint64_t> finals;

  void count(int status);
  void merge(const session_outcomes& other);
  [[nodiscard]] uint64_t total() const noexcept;
};

struct registration_counts {
  uint64_t attempted = 0; ///< first registrations; a satisfied challenge is part of the attempt
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t refreshed = 0; ///< later registrations of the same user that succeeded
  uint64_t refresh_failed = 0;
  uint64_t current = 0;                       ///< bindings we hold now
  std::map<failure_cause, uint64_t> failures; ///< sums to failed + refresh_failed
  failure_details details;                    ///< what was said of them

  void merge(const registration_counts& other);
};

/// Times, all in microseconds. Those that begin with the first INVITE begin at the moment the
/// arrival was *due*, not when it was sent: a generator or a peer that stalls does not hide the
/// calls that would have come in the meantime.
struct latencies {
  histogram srd;   ///< session request delay (RFC 6076 section 4.3): INVITE -> 180, 183, or final
  histogram ttr;   ///< time to the first response at all: INVITE -> any 1xx or final
  histogram pdd;   ///< post-dial delay: INVITE -> 180 or 183; not recorded if neither came
  histogram setup; ///< INVITE -> ACK sent; answered calls only
  histogram sdd;   ///< session disconnect delay (4.4): BYE -> its final response
  histogram ice_gathering; ///< of the calling side's streams: until there was an address to offer
  histogram ice_checks;    ///< from the peer's description to a pair of addresses that works
  histogram dtls;          ///< from there to keys
  histogram rrd;           ///< registration request delay (4.1): REGISTER -> 200
  histogram options;       ///< OPTIONS -> final response
  histogram call_length;   ///< session duration time (4.5): 200 to INVITE -> BYE

  void merge(const latencies& other) noexcept;
};

/// One direction of all calls' audio, as judged at its receiving end.
struct media_direction {
  uint64_t streams = 0; ///< streams judged
  // These are counted as packets come, or as RTCP tells, all others at a stream's end.
  uint64_t expected = 0; ///< packets that sequence numbers say were sent (RFC 3550 appendix A.3)
  uint64_t received = 0; ///< packets that came, duplicates included
  uint64_t lost = 0;     ///< never came, as far as is known
  uint64_t variation_us = 0;    ///< |D(i-1,i)| of RFC 3550 section 6.4.1, all together; of own ends
  uint64_t variation_count = 0; ///< and of how many pairs of packets
  /// Of the lost, those that the packet after them repeated in time (FEC of Opus). RTCP does not
  /// tell: nothing of streams that only the peer reported on.
  uint64_t fec_recovered = 0;
  uint64_t duplicate = 0;
  uint64_t reordered = 0;
  uint64_t late = 0;    ///< came too late to be played
  histogram jitter;     ///< us; interarrival jitter (RFC 3550 section 6.4.1), one value a stream
  mos_distribution mos; ///< G.107, one value a stream

  void merge(const media_direction& other) noexcept;
};

/// What came to the ports of media and was not the peer's, or not for its first time: it was
/// dropped, whoever sent it.
struct ignored_packets {
  uint64_t strangers = 0;       ///< from an address that was not the peer's
  uint64_t forged = 0;          ///< SRTP by another key, or changed on its way
  uint64_t replayed = 0;        ///< SRTP that had come before
  uint64_t malformed = 0;       ///< SRTP or STUN that could not be read
  uint64_t unauthenticated = 0; ///< STUN without the password, or that answered nothing we asked

  [[nodiscard]] uint64_t total() const noexcept {
    return strangers + forged + replayed + malformed + unauthenticated;
  }
  void merge(const ignored_packets& other) noexcept;
};

/// Streams by what was found in them, where that was asked for.
struct found_sounds {
  uint64_t tone = 0;    ///< some tone
  uint64_t sound = 0;   ///< no tone, but 200 ms of sound or more
  uint64_t silence = 0; ///< neither

  [[nodiscard]] uint64_t total() const noexcept { return tone + sound + silence; }
  void merge(const found_sounds& other) noexcept;
};

struct media_counts {
  uint64_t packets_sent = 0;
  uint64_t dtx_frames = 0; ///< frames of silence for which no packet was sent (DTX of Opus)
  /// What the calling side received.
  media_direction received;
  /// What became of the packets we sent: from the peer's RTCP reports, or from the answering side
  /// itself where that is in this process.
  media_direction sent;
  histogram rtt;              ///< us; from RTCP (RFC 3550 section 6.4.1), one value a report
  histogram send_lateness;    ///< us; how long after its time each packet was sent
  uint64_t one_way_calls = 0; ///< answered calls with packets in exactly one direction
  uint64_t silent_calls = 0;  ///< answered calls that should have had media and saw none
  uint64_t stopped_calls = 0; ///< answered calls whose peer's audio ended seconds before they did
  uint64_t early_packets = 0; ///< came before the peer's description; not judged
  uint64_t transcoded = 0;    ///< joined streams that were sent what was made of another codec's
  ignored_packets ignored;    ///< of both sides where the answering one is in this process
  uint64_t dtmf_sent = 0;     ///< digits: RFC 4733 events, and INFO that was answered
  uint64_t dtmf_received = 0;
  found_sounds found;

  void merge(const media_counts& other) noexcept;
};

/// What calls did while they were up.
struct step_counts {
  struct count {
    uint64_t done = 0;
    uint64_t failed = 0;
  };
  count hold;        ///< offers that put the peer on hold
  count resume;      ///< offers that took it off hold
  count ice_restart; ///< ways of media found anew, and taken
  count info_digit;  ///< digits in INFO

  [[nodiscard]] bool any() const noexcept;
  void merge(const step_counts& other) noexcept;
};

/// What tells whether the generator itself was the bottleneck.
struct generator_health {
  histogram lane_lag;       ///< us; how late passes of the lane began
  histogram start_lateness; ///< us; how long after it was due a call was started
  uint64_t passes = 0;
  uint64_t late_passes = 0;  ///< passes beyond the lane's own overload bound
  uint64_t socket_drops = 0; ///< datagrams lost at our own sockets (SO_RXQ_OVFL, send buffers)
  uint64_t send_blocked = 0; ///< sends that the system would not take at once
  double cpu_seconds = 0;    ///< user and system time; merging adds
  /// What the machine's cores did meanwhile, of all that they could have done, 0 .. 1; merging
  /// takes the greater. Unset: not known.
  std::optional<double> cpu_own;
  std::optional<double> cpu_others; ///< other processes
  std::optional<double> cpu_stolen; ///< the host's other guests
  /// Of the time, how much of it some process here waited for a core (PSI).
  std::optional<double> cpu_pressure;
  uint64_t rss_peak_kb = 0; ///< of the process; merging takes the greater
  /// Calls that the embedded answering engine could not take: no room, no port, no descriptor.
  uint64_t own_refusals = 0;
  uint64_t parts_lost = 0; ///< generators and answering services that an error within ended

  void merge(const generator_health& other) noexcept;
};

/// Everything one lane measured in a run, from its beginning: a plain value that the lane fills
/// without locks. A coordinator takes copies and merges them, in any order. About 250 KB.
struct run_metrics {
  call_counts calls;
  session_outcomes sessions;
  registration_counts registrations;
  registration_counts users; ///< of `answer`: whom it registered elsewhere, to take their calls
  latencies times;
  media_counts media;
  step_counts steps;
  generator_health health;
  status_matrix statuses; ///< requests that we sent, and what they were answered
  status_matrix served;   ///< requests that we answered, and how

  uint64_t requests_sent = 0;   ///< retransmissions not included
  uint64_t retransmissions = 0; ///< requests and responses that we sent again
  uint64_t retransmissions_received = 0;
  uint64_t failovers = 0;  ///< requests that went on to another server of their name
  uint64_t timeouts = 0;   ///< timers B, F and H fired
  uint64_t unexpected = 0; ///< messages that fit no transaction or dialog, or not its state
  uint64_t malformed = 0;  ///< what came in and was no SIP message

  void merge(const run_metrics& other);
};

} // namespace jackfield::report
