// What a packet of 160 bytes costs to protect and to open, by the number of contexts that take
// turns.
//
//   bench_srtp_contexts CONTEXTS...
//
// Prints a line for each number: contexts, microseconds of CPU for both, microseconds to make a
// pair. The numbers take turns, too, round after round, and the median of the rounds counts: a
// noisy machine then is as noisy for all of them.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <ctime>

#ifdef BENCH_SYSTEM_LIBSRTP
#include <srtp2/srtp.h>
#else
#include "engine/srtp/receiver.hpp"
#include "engine/srtp/sender.hpp"
#endif

namespace {

constexpr size_t packet_bytes = 12 + 160;
constexpr size_t room = 256;
constexpr int rounds = 15;
constexpr int packets_a_round = 24'000;

double cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

#ifdef BENCH_SYSTEM_LIBSRTP
/// One stream's two ends, by the library itself.
class pair_of_ends {
public:
  explicit pair_of_ends(uint32_t ssrc) {
    std::array<unsigned char, 64> key{};
    key.fill(static_cast<unsigned char>(ssrc));
    srtp_policy_t policy{};
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    policy.key = key.data();
    policy.window_size = 1'024;
    policy.ssrc = {ssrc_specific, ssrc};
    good_ = srtp_create(&out_, &policy) == srtp_err_status_ok;
    policy.ssrc = {ssrc_any_inbound, 0};
    good_ = good_ && srtp_create(&in_, &policy) == srtp_err_status_ok;
  }
  ~pair_of_ends() {
    srtp_dealloc(out_);
    srtp_dealloc(in_);
  }
  pair_of_ends(const pair_of_ends&) = delete;
  pair_of_ends& operator=(const pair_of_ends&) = delete;

  bool pass(std::span<std::byte> packet) {
    int size = packet_bytes;
    return good_ && srtp_protect(out_, packet.data(), &size) == srtp_err_status_ok &&
           srtp_unprotect(in_, packet.data(), &size) == srtp_err_status_ok;
  }

private:
  srtp_t out_ = nullptr;
  srtp_t in_ = nullptr;
  bool good_ = false;
};
#else
/// One stream's two ends, as the engine has them.
class pair_of_ends {
public:
  explicit pair_of_ends(uint32_t ssrc) {
    using namespace jackfield;
    const std::vector<std::byte> secret(srtp::master_key::size_for(srtp::profile::aead_aes_128_gcm),
                                        static_cast<std::byte>(ssrc));
    const auto key = srtp::master_key::from(srtp::profile::aead_aes_128_gcm, secret);
    if (auto made = srtp::sender::make(*key, ssrc))
      out_ = std::move(*made);
    if (auto made = srtp::receiver::make(*key))
      in_ = std::move(*made);
  }

  bool pass(std::span<std::byte> packet) {
    if (!out_ || !in_)
      return false;
    const auto size = out_->protect_rtp(packet, packet_bytes);
    return in_->open_rtp(packet.first(size)).is == jackfield::srtp::receiver::verdict::accepted;
  }

private:
  std::optional<jackfield::srtp::sender> out_;
  std::optional<jackfield::srtp::receiver> in_;
};
#endif

/// Contexts that take turns, each with numbers of its own.
class series {
public:
  explicit series(size_t contexts) {
    const auto begun = cpu_us();
    for (size_t i = 0; i < contexts; ++i)
      ends_.push_back(std::make_unique<pair_of_ends>(static_cast<uint32_t>(i + 1)));
    us_to_make_ = (cpu_us() - begun) / static_cast<double>(contexts);
  }

  /// Microseconds a packet.
  double round() {
    alignas(8) std::array<std::byte, room> packet{};
    const auto begun = cpu_us();
    for (int n = 0; n < packets_a_round; ++n) {
      write_header(packet);
      if (!ends_[next_]->pass(packet)) {
        std::fprintf(stderr, "bench/srtp: a packet did not come through\n");
        std::exit(1);
      }
      if (++next_ == ends_.size()) {
        next_ = 0;
        ++sequence_;
      }
    }
    return (cpu_us() - begun) / packets_a_round;
  }

  [[nodiscard]] size_t contexts() const { return ends_.size(); }
  [[nodiscard]] double us_to_make() const { return us_to_make_; }

private:
  void write_header(std::array<std::byte, room>& packet) const {
    packet[0] = std::byte{0x80};
    packet[1] = std::byte{0};
    packet[2] = static_cast<std::byte>(sequence_ >> 8U);
    packet[3] = static_cast<std::byte>(sequence_);
    const auto ssrc = static_cast<uint32_t>(next_ + 1);
    for (unsigned i = 0; i < 4; ++i)
      packet[8 + i] = static_cast<std::byte>(ssrc >> (24 - 8 * i));
  }

  std::vector<std::unique_ptr<pair_of_ends>> ends_;
  size_t next_ = 0;
  uint16_t sequence_ = 1;
  double us_to_make_ = 0;
};

} // namespace

int main(int count, char** words) {
#ifdef BENCH_SYSTEM_LIBSRTP
  srtp_init();
#endif
  std::vector<series> all;
  for (int i = 1; i < count; ++i)
    all.emplace_back(static_cast<size_t>(std::max(1, std::atoi(words[i]))));
  std::vector<std::vector<double>> took(all.size());
  for (auto& one : all)
    one.round(); // warms up
  for (int r = 0; r < rounds; ++r)
    for (size_t i = 0; i < all.size(); ++i)
      took[i].push_back(all[i].round());
  for (size_t i = 0; i < all.size(); ++i) {
    std::ranges::sort(took[i]);
    std::printf("%zu %.3f %.1f\n", all[i].contexts(), took[i][rounds / 2], all[i].us_to_make());
  }
  return 0;
}
