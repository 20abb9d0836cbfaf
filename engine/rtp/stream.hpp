#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/rtp/mos.hpp"
#include "engine/rtp/receiver_statistics.hpp"
#include "engine/rtp/rtcp_session.hpp"
#include "engine/rtp/sender.hpp"
#include "engine/rtp/stream_host.hpp"

namespace jackfield::rtp {

/// What a stream sends.
enum class stream_mode : uint8_t {
  play,   ///< its host's frames, one a packet time
  echo,   ///< each packet's payload back as it comes
  listen, ///< nothing but digits that are dialed
  relay,  ///< what another stream heard, as `relay` is told of it
};

/// How much of what was before it a payload repeats (FEC), in timestamp units; 0: nothing, or less
/// than the packet before it lasted. Told of payloads of any content; reads no further.
using repetition_reader = uint32_t (*)(std::span<const std::byte> payload) noexcept;

/// What is fixed for a stream's life. All numbers are to be drawn at random (RFC 3550 §5.1).
struct stream_identity {
  uint32_t ssrc = 0;
  uint16_t first_sequence = 0;
  uint32_t first_timestamp = 0;
  /// Viewed only: outlives the stream.
  std::string_view cname;
  ntp_clock clock;
};

/// What offer and answer agreed on.
struct stream_setup {
  /// The first is what is played; by the others may be relayed. All have the clock rate below.
  payload_formats send;
  payload_formats receive;
  /// Of telephone-event; none if not agreed.
  std::optional<uint8_t> send_event_type;
  std::optional<uint8_t> receive_event_type;
  uint32_t clock_rate = 8000;
  /// What is heard is judged as; outlives the stream.
  const codec_impairment* judged_as = &g711_with_plc;
  /// Null where the codec that is heard has no such thing.
  repetition_reader repeats = nullptr;
  std::chrono::milliseconds packet_time{20}; ///< of what is sent: 1..120 ms
  bool sends = true;                         ///< false while on hold
  /// From the first `connect` to the first frame; later ones keep the pace that there is.
  duration phase{};
};

/// How a stream went.
struct stream_outcome {
  bool connected = false;
  uint64_t packets_sent = 0;
  reception_summary received;
  /// The format of the last audio that came; unset if none did.
  std::optional<payload_format> receiving;
  /// Packets with a payload type that is none of ours. Those of the accepted source have their
  /// place in `received`, so none of them reads as a loss.
  uint64_t other_types = 0;
  /// Numbers left out in what was sent, for packets that a relay's source had lost.
  uint64_t relayed_gaps = 0;
  /// What the peer said of what it heard, in its last RTCP report.
  std::optional<report_block> remote;
  std::optional<duration> round_trip;
  uint32_t clock_rate = 8000; ///< of timestamps, those of `remote` among them
  /// By the model of the codec; nothing where nothing was to be judged.
  std::optional<double> mos;
  std::optional<double> remote_mos;
  uint64_t digits_sent = 0;
  std::string digits_received; ///< the first 256
};

/// One RTP audio stream: what it sends and when, what it hears and how that is judged, its RTCP and
/// its digits. A value: no sockets, no timers; it is told the time, and says at which time it wants
/// to be told again. What it sends is of one SSRC from beginning to end, whatever it is made of:
/// numbers go on, and timestamps move with the time.
class stream {
public:
  explicit stream(const stream_identity& who, stream_mode mode = stream_mode::play) noexcept;
  ~stream();
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  /// Begins, or goes on as a re-offer wants it. Before this the stream sends and hears nothing.
  void connect(const stream_setup& how, time_point now);
  [[nodiscard]] bool connected() const noexcept { return connected_; }

  /// From now on sends something else. `relay` again: from another source.
  void set_mode(stream_mode mode, time_point now);
  [[nodiscard]] stream_mode mode() const noexcept { return mode_; }

  /// Sends the frame and the report that are due. To be called at `deadline`; earlier does no harm,
  /// and being called each packet time is taken in every mode. A frame is sent for each call, so
  /// what was missed is made up for by calling again, as `deadline` has it; after more than a
  /// second it is left out.
  void tick(time_point now, stream_host& host);
  /// When `tick` has something to do; `time_point::max()` if that is never.
  [[nodiscard]] time_point deadline() const noexcept;
  /// The next step of the pace, also while nothing is sent by it. Meaningless before `connect`.
  [[nodiscard]] time_point next_frame() const noexcept { return next_frame_; }

  /// A datagram of the peer's, RTP or RTCP, that came at `arrived`.
  void on_datagram(std::span<const std::byte> bytes, time_point arrived, stream_host& host);

  /// Sends on what another stream heard (`stream_host::on_heard`) in mode `relay`: numbered and
  /// timed as `relay_map` has it, under our own payload types. What cannot be sent (we are on hold,
  /// send digits of our own, or have not agreed on its format) leaves no gap. Does not transcode.
  void relay(const heard_packet& heard, stream_host& host);

  /// Queues digits (RFC 4733): they take the place of audio, one a 160 ms. Fails, with nothing
  /// queued, if the peer takes none, on anything but "0-9*#A-D", and if too many wait.
  result<void> dial(std::string_view digits, time_point now);
  /// As `dial`, of any event and as long as told: 1 ms to 10 minutes.
  result<void> dial_event(uint8_t event, std::chrono::milliseconds length, time_point now);
  /// True while digits wait, sound, or are followed by their pause.
  [[nodiscard]] bool dialing() const noexcept;

  /// Says BYE and sends nothing more; keeps hearing what is still on its way.
  void stop(time_point now, stream_host& host);

  /// How it went so far. Costs some microseconds. `unheard_after`: the peer was to send for so long
  /// after its last packet, which the score is to know; 0 where it had reason to be silent.
  [[nodiscard]] stream_outcome outcome(duration unheard_after = {}) const;
  /// What came last was audio, not a type that was not agreed on (comfort noise): a peer that
  /// leaves out silence sends that before it falls silent.
  [[nodiscard]] bool ends_in_audio() const noexcept { return !ends_in_other_; }

  [[nodiscard]] const sender& sent() const noexcept { return sender_; }
  [[nodiscard]] const receiver_statistics& heard() const noexcept { return statistics_; }
  [[nodiscard]] const rtcp_session& rtcp() const noexcept { return rtcp_; }

private:
  struct digits;

  [[nodiscard]] duration packet_time() const noexcept {
    return std::chrono::milliseconds{packet_time_ms_};
  }
  [[nodiscard]] bool forwards() const noexcept {
    return mode_ == stream_mode::relay || mode_ == stream_mode::echo;
  }
  [[nodiscard]] bool sends_by_pace() const noexcept;
  [[nodiscard]] bool is_paced() const noexcept;
  void step_to(time_point t) noexcept;
  void frame(time_point now, stream_host& host);
  size_t write_frame(uint32_t timestamp, std::span<std::byte> out, stream_host& host);
  void report(time_point now, bool bye, stream_host& host);
  [[nodiscard]] uint32_t timestamp_at(time_point t) const noexcept;
  void begin_forwarding();
  void end_forwarding() noexcept;
  void on_event(const packet& p, time_point arrived, stream_host& host);
  void on_other(const packet& p, time_point arrived, stream_host& host);
  void forward(const heard_packet& heard, stream_host& host);
  template <class Queue>
  result<void> dial_by(time_point now, Queue&& queue);
  digits& make_digits();
  [[nodiscard]] duration length_of(uint32_t units) const noexcept;
  [[nodiscard]] double random_unit() noexcept;

  // What each packet needs lies together.
  time_point next_frame_{};
  time_point next_report_ = time_point::max();
  std::unique_ptr<digits> digits_; // only once telephone events are sent or come
  const codec_impairment* judged_as_ = &g711_with_plc;
  repetition_reader repeats_ = nullptr;
  std::unique_ptr<class relay_map> map_; // only once something is forwarded
  uint16_t samples_ = 160;               // a frame's, timestamp units
  uint8_t packet_time_ms_ = 20;
  stream_mode mode_;
  bool connected_ = false;
  bool sends_ = false;
  bool stopped_ = false;
  bool sends_event_ = false; // in this packet time
  bool ends_in_other_ = false;
  uint8_t send_event_type_ = payload_format::no_type;
  uint8_t receive_event_type_ = payload_format::no_type;
  payload_format receiving_;
  sender sender_;
  receiver_statistics statistics_;
  payload_formats receive_;
  payload_formats send_;
  uint32_t clock_rate_ = 8000;
  uint32_t random_;
  uint64_t other_types_ = 0;
  rtcp_session rtcp_;
};
static_assert(sizeof(stream) <= sizeof(receiver_statistics) + sizeof(std::optional<sender>) +
                                  sizeof(std::optional<rtcp_session>) + 80,
              "there is one for each of thousands of calls");

} // namespace jackfield::rtp
