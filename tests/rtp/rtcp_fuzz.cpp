#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "engine/rtp/rtcp.hpp"
#include "engine/rtp/rtcp_session.hpp"

namespace {

// Builds again what it hears, and touches every byte of every text.
class echo final : public jackfield::rtp::rtcp_visitor {
public:
  void on_report_block(uint32_t, const jackfield::rtp::report_block& block) override {
    using namespace jackfield::rtp;
    struct reread final : rtcp_visitor {
      void on_report_block(uint32_t, const report_block& b) override { block = b; }
      report_block block;
    };
    std::array<std::byte, 64> buffer{};
    rtcp_builder to{buffer};
    reread ear;
    if (!to.receiver_report(1, {&block, 1}) ||
        !parse_rtcp(std::span{buffer}.first(to.size()), ear) || ear.block != block)
      std::abort();
  }
  void on_cname(uint32_t, std::string_view text) override { touch(text); }
  void on_bye(uint32_t, std::string_view text) override { touch(text); }

  unsigned sum = 0;

private:
  void touch(std::string_view text) {
    for (const char c : text)
      sum += static_cast<unsigned char>(c);
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::rtp;
  const auto datagram = std::as_bytes(std::span{data, size});
  echo ear;
  const bool good = parse_rtcp(datagram, ear).has_value();
  rtcp_session session{1, "fuzz", ntp_clock{time_point{}, {}}};
  session.on_datagram(datagram, time_point{std::chrono::seconds{1000}});
  if (session.malformed() != (good ? 0u : 1u))
    std::abort();
  return 0;
}
