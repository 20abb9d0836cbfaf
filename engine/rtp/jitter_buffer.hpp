#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/rtp/delay_estimate.hpp"
#include "engine/rtp/packet.hpp"
#include "engine/rtp/time.hpp"

namespace jackfield::rtp {

struct jitter_buffer_options {
  uint32_t clock_rate = 8000; ///< timestamp units a second, 1..192000
  /// Of the first packets, until their timestamps tell; 1..120 ms.
  std::chrono::milliseconds packet_time{20};
  /// Bounds of the delay that is aimed at.
  std::chrono::milliseconds least_delay{20};
  std::chrono::milliseconds most_delay{200};
};

/// What became of a packet.
enum class insertion : uint8_t {
  stored,
  duplicate,
  late,    ///< its time to be played had passed: discarded
  refused, ///< empty, or over 1500 bytes
  stray,   ///< its numbers break with the stream's; the next in line with it begins anew
};

/// What is to be heard next.
struct playout {
  enum class kind : uint8_t {
    nothing, ///< the stream has not begun, or came to a stop: silence
    packet,  ///< decode `payload`
    conceal, ///< a packet is missing
    fec,     ///< a packet is missing, `payload` is the one after it, which comes next
    silence, ///< the sender says nothing: comfort noise
  };

  kind what = kind::nothing;
  std::span<const std::byte> payload; ///< valid until the next call of the buffer
  /// How long it lasts in timestamp units; of a packet, its distance to the one before, which its
  /// decoder knows better.
  uint32_t units = 0;
  bool ends_talk = false; ///< of a packet: as it was inserted
};

struct jitter_buffer_counts {
  uint64_t stored = 0;
  uint64_t played = 0;
  uint64_t duplicates = 0;
  uint64_t late = 0; ///< came, and were discarded
  uint64_t refused = 0;
  uint64_t strays = 0;
  uint64_t missing = 0;     ///< not there when they were to be played: lost or late
  uint64_t recoverable = 0; ///< of the missing, those whose next was there
  uint64_t stretched = 0;   ///< concealed to gain delay, with nothing missing
  uint64_t dropped = 0;     ///< were there, and left out to lose delay
  uint64_t restarts = 0;    ///< other source, or jumps of its numbers
};

/// Puts the packets of a stream in order and in time. A plain value: `insert` what comes, and
/// `pull` whenever what was pulled before has been played. The delay follows the jitter: long
/// enough for 97 of 100 packets, within its bounds. Keeps 64 packets of up to 1500 bytes in 94 KiB
/// that are taken when it is made, and grows no more. Times must not run backwards.
class jitter_buffer {
public:
  static constexpr size_t capacity = 64;
  static constexpr size_t most_bytes = 1500;

  explicit jitter_buffer(const jitter_buffer_options& options = {});

  /// `ends_talk`: the sender may fall silent after this packet (comfort noise of RFC 3389, an Opus
  /// packet of at most two bytes), so a pause after it is no loss.
  insertion insert(const packet& p, time_point arrival, bool ends_talk = false) noexcept;

  /// `quiet`: what was played last was quiet, so that a packet may be left out unheard where the
  /// delay is too long. Otherwise that is done to one packet of ten.
  playout pull(time_point now, bool quiet = false) noexcept;

  /// The delay aimed at, from the earliest possible arrival of a packet to its playing.
  [[nodiscard]] duration target() const noexcept;
  /// The delay that what is to be played next would have now; zero before the stream has begun.
  [[nodiscard]] duration delay(time_point now) const noexcept;
  [[nodiscard]] const jitter_buffer_counts& counts() const noexcept { return counts_; }

private:
  enum class state : uint8_t { waiting, playing, silent };

  // Numbers do not wrap: they are counted on from the first packet's.
  struct slot {
    int64_t sequence = -1; // -1: never used
    int64_t timestamp = 0;
    uint16_t size = 0;
    bool full = false;
    bool ends_talk = false;
  };
  struct place {
    int64_t sequence;
    int64_t timestamp;
  };

  [[nodiscard]] static size_t index_of(int64_t sequence) noexcept {
    return static_cast<size_t>(sequence) % capacity;
  }
  [[nodiscard]] std::span<const std::byte> payload_of(const slot& s) const noexcept;
  [[nodiscard]] std::optional<place> place_of(const packet& p, time_point arrival) noexcept;
  void begin(const packet& p, time_point arrival) noexcept;
  void make_room(int64_t sequence) noexcept;
  void note_step(const place& at) noexcept;
  [[nodiscard]] duration transit(int64_t timestamp, time_point t) const noexcept;
  [[nodiscard]] slot* head() noexcept;
  playout play(slot& s) noexcept;
  playout skip(slot& next, time_point now) noexcept;
  playout starve(time_point now) noexcept;
  playout pause() noexcept;
  void shorten(slot*& first, time_point now, bool quiet) noexcept;

  std::array<slot, capacity> slots_{};
  std::vector<std::byte> bytes_;
  delay_estimate estimate_;
  jitter_buffer_counts counts_;
  jitter_buffer_options options_;
  time_point origin_{};       // the first packet's arrival
  time_point last_arrival_{}; // of highest_
  place highest_{};
  int64_t next_sequence_ = 0;
  int64_t next_timestamp_ = 0;
  uint32_t step_; // units from packet to packet
  uint32_t ssrc_ = 0;
  uint32_t starved_ = 0;    // pulls in a row that found nothing
  uint32_t since_drop_ = 0; // packets
  uint16_t stray_ = 0;      // the number that would begin anew
  state state_ = state::waiting;
  bool began_ = false;
  bool nothing_played_ = true; // since the stream began
  bool has_stray_ = false;
  bool restart_delay_ = false; // at the next packet
  bool talk_ended_ = false;    // with what was played last
};

} // namespace jackfield::rtp
