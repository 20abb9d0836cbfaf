#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/recording/recorded_packet.hpp"

struct OpusMSEncoder;

namespace jackfield::recording {

/// Encodes two channels as Opus and puts them into an Ogg stream (RFC 7845): bytes of a file, page
/// by page. The channels are coded apart (mapping family 1, two streams that are not coupled):
/// nothing of one is ever heard in the other. A value without a file; some 100 KiB.
class ogg_opus {
public:
  /// Of both channels together, on average where somebody speaks.
  static constexpr int bit_rate = 40'000;

  /// `serial` tells Ogg streams apart. `tags` are "NAME=value", in UTF-8.
  ogg_opus(uint32_t serial, const std::vector<std::string>& tags);
  ~ogg_opus();
  ogg_opus(const ogg_opus&) = delete;
  ogg_opus& operator=(const ogg_opus&) = delete;

  /// What follows, of both channels as much: the shorter one counts.
  void add(std::span<const int16_t> left, std::span<const int16_t> right);
  /// The rest, as long as it is to the sample. Nothing may follow.
  void finish();

  /// Whole pages that were made since the last call, about one a second; the first have the
  /// headers.
  [[nodiscard]] std::vector<std::byte> take_pages() { return std::exchange(pages_, {}); }

private:
  struct ogg;
  struct destroy {
    void operator()(OpusMSEncoder* state) const noexcept;
  };

  void write_headers(const std::vector<std::string>& tags);
  void encode(bool last);
  void put(std::span<const std::byte> packet, int64_t granule, bool last);
  /// `all`: also of a page that is not full.
  void collect(bool all);

  std::unique_ptr<OpusMSEncoder, destroy> encoder_;
  std::unique_ptr<ogg> ogg_;
  std::vector<int16_t> waiting_; // both channels by turns
  std::vector<std::byte> pages_;
  int64_t came_ = 0;    // samples of a channel
  int64_t encoded_ = 0; // and those in packets
  int64_t lookahead_ = 0;
  int64_t packets_ = 0;
};

} // namespace jackfield::recording
