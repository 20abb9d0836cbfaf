#include "engine/recording/ogg_opus.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include <ogg/ogg.h>
#include <opus_multistream.h>

namespace jackfield::recording {

namespace {

constexpr size_t channels = 2;
constexpr int64_t frame = sample_rate / 50; // 20 ms
constexpr int64_t packets_of_a_page = 50;
constexpr int64_t granules = 48'000 / sample_rate; // of a sample: an Ogg stream counts at 48 kHz
constexpr size_t most_bytes = 4000;

template <class T>
void put_little_endian(std::vector<std::byte>& out, T value) {
  for (size_t i = 0; i < sizeof value; ++i)
    out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

void put_text(std::vector<std::byte>& out, std::string_view text) {
  for (const char c : text)
    out.push_back(static_cast<std::byte>(c));
}

/// RFC 7845 §5.1.
std::vector<std::byte> id_header(int64_t lookahead) {
  std::vector<std::byte> out;
  put_text(out, "OpusHead");
  out.push_back(std::byte{1});        // version
  out.push_back(std::byte{channels}); // left, right
  put_little_endian(out, static_cast<uint16_t>(lookahead * granules));
  put_little_endian(out, sample_rate);
  put_little_endian(out, uint16_t{0}); // gain
  out.push_back(std::byte{1});         // mapping family
  out.push_back(std::byte{channels});  // streams
  out.push_back(std::byte{0});         // of which are coupled
  out.push_back(std::byte{0});         // the left channel's stream
  out.push_back(std::byte{1});
  return out;
}

/// RFC 7845 §5.2.
std::vector<std::byte> comment_header(const std::vector<std::string>& tags) {
  std::vector<std::byte> out;
  put_text(out, "OpusTags");
  const std::string_view vendor = opus_get_version_string();
  put_little_endian(out, static_cast<uint32_t>(vendor.size()));
  put_text(out, vendor);
  put_little_endian(out, static_cast<uint32_t>(tags.size()));
  for (const auto& each : tags) {
    put_little_endian(out, static_cast<uint32_t>(each.size()));
    put_text(out, each);
  }
  return out;
}

} // namespace

struct ogg_opus::ogg {
  explicit ogg(uint32_t serial) {
    if (ogg_stream_init(&state, static_cast<int>(serial)) != 0)
      throw std::bad_alloc{};
  }
  ~ogg() { ogg_stream_clear(&state); }
  ogg(const ogg&) = delete;
  ogg& operator=(const ogg&) = delete;

  ogg_stream_state state{};
};

void ogg_opus::destroy::operator()(OpusMSEncoder* state) const noexcept {
  opus_multistream_encoder_destroy(state);
}

ogg_opus::ogg_opus(uint32_t serial, const std::vector<std::string>& tags)
    : ogg_(std::make_unique<ogg>(serial)) {
  constexpr std::array<unsigned char, channels> mapping{0, 1};
  int error = OPUS_OK;
  encoder_.reset(opus_multistream_encoder_create(sample_rate, channels, channels, 0, mapping.data(),
                                                 OPUS_APPLICATION_VOIP, &error));
  if (!encoder_)
    throw std::bad_alloc{};
  auto* const state = encoder_.get();
  opus_multistream_encoder_ctl(state, OPUS_SET_BITRATE(bit_rate));
  opus_multistream_encoder_ctl(state, OPUS_SET_COMPLEXITY(2)); // 5 costs a quarter more
  opus_int32 lookahead = 0;
  opus_multistream_encoder_ctl(state, OPUS_GET_LOOKAHEAD(&lookahead));
  lookahead_ = lookahead;
  write_headers(tags);
}

ogg_opus::~ogg_opus() = default;

void ogg_opus::write_headers(const std::vector<std::string>& tags) {
  for (const auto& header : {id_header(lookahead_), comment_header(tags)}) {
    put(header, 0, false);
    collect(true); // each begins a page, and the audio another one
  }
}

void ogg_opus::add(std::span<const int16_t> left, std::span<const int16_t> right) {
  const auto count = std::min(left.size(), right.size());
  for (size_t i = 0; i < count; ++i) {
    waiting_.push_back(left[i]);
    waiting_.push_back(right[i]);
  }
  came_ += static_cast<int64_t>(count);
  encode(false);
}

void ogg_opus::finish() {
  encode(true);
  collect(true);
}

void ogg_opus::encode(bool last) {
  std::array<std::byte, most_bytes> packet{};
  const auto end = came_ + lookahead_; // what went in last comes out of the decoder then
  size_t used = 0;
  const auto whole = static_cast<size_t>(frame) * channels;
  while (waiting_.size() - used >= whole || (last && encoded_ < end)) {
    if (waiting_.size() - used < whole)
      waiting_.resize(used + whole);
    const auto size = opus_multistream_encode(
      encoder_.get(), waiting_.data() + used, static_cast<int>(frame),
      reinterpret_cast<unsigned char*>(packet.data()), static_cast<opus_int32>(packet.size()));
    used += whole;
    encoded_ += frame;
    // An error is an error within, and the packet then one that is concealed.
    const auto bytes = std::span{packet}.first(static_cast<size_t>(std::max(size, 0)));
    const bool final_one = last && encoded_ >= end;
    put(bytes, (final_one ? end : encoded_) * granules, final_one);
    if (++packets_ % packets_of_a_page == 0)
      collect(true);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(used));
  collect(false);
}

void ogg_opus::put(std::span<const std::byte> packet, int64_t granule, bool last) {
  ogg_packet made{};
  // The library copies it.
  made.packet = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(packet.data()));
  made.bytes = static_cast<long>(packet.size());
  made.b_o_s = ogg_->state.packetno == 0 ? 1 : 0;
  made.e_o_s = last ? 1 : 0;
  made.granulepos = granule;
  made.packetno = ogg_->state.packetno;
  if (ogg_stream_packetin(&ogg_->state, &made) != 0)
    throw std::bad_alloc{};
}

void ogg_opus::collect(bool all) {
  ogg_page page{};
  while ((all ? ogg_stream_flush(&ogg_->state, &page) : ogg_stream_pageout(&ogg_->state, &page)) !=
         0) {
    const auto* const head = reinterpret_cast<const std::byte*>(page.header);
    const auto* const body = reinterpret_cast<const std::byte*>(page.body);
    pages_.insert(pages_.end(), head, head + page.header_len);
    pages_.insert(pages_.end(), body, body + page.body_len);
  }
}

} // namespace jackfield::recording
