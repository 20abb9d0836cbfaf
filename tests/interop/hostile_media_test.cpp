#include <iostream>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"
#include "tests/interop/sip_tap.hpp"
#include "tests/interop/sprayer.hpp"

namespace jackfield::tests {
namespace {

constexpr uint64_t call_count = 12;

/// Every second call, by its Call-ID; any thread's.
class every_second {
public:
  bool operator()(std::string_view message) {
    const std::string call{header_of(message, "Call-ID")};
    if (seen_.insert(call).second && seen_.size() % 2 == 0)
      chosen_.insert(call);
    return chosen_.contains(call);
  }

private:
  std::set<std::string> seen_;
  std::set<std::string> chosen_;
};

/// Calls over WebRTC from `jackfield load` to `jackfield answer`, all at once, with somebody on the
/// way of their SIP.
class hostile_media : public testing::Test {
protected:
  /// `status`: how the answering side ends.
  void run(const sip_tap::reader& on_message, int status) {
    const auto behind = free_port();
    const sip_tap tap(behind, on_message);
    auto answer =
      start_answerer(folder_, "udp:" + loopback(behind), {"--advertise", loopback(tap.port())});
    called_ = run_load(folder_, {sip_uri("service", tap.port()), "--media", "webrtc", "-m",
                                 std::to_string(call_count), "-r", std::to_string(call_count), "-d",
                                 "5000"});
    answered_ = answer.finish(status);
    ASSERT_TRUE(called_.summary.is_object() && answered_.is_object());
  }
  /// So many calls completed, and their streams were good at each end. Whether the machine kept up
  /// is not asked.
  void expect_unharmed(uint64_t count) {
    EXPECT_EQ(called_.summary.at("calls").at("completed"), count) << called_.summary.at("failures");
    for (const auto* side : {&called_.summary, &answered_}) {
      const auto& heard = side->at("media").at("received");
      EXPECT_EQ(heard.at("streams"), count);
      EXPECT_GT(heard.at("packets_received"), count * 200);
      EXPECT_EQ(heard.at("packets_lost"), 0);
      EXPECT_EQ(heard.at("packets_duplicate"), 0);
      EXPECT_GT(heard.at("mos_min"), 4.2);
    }
  }

  const scratch_folder folder_;
  load_outcome called_;
  nlohmann::json answered_;
};

TEST_F(hostile_media, sec_20_21_and_06_what_strangers_send_is_counted_and_harms_nothing) {
  sprayer attacker; // from the moment that a description is on its way
  run(
    [&](sip_tap::way, std::string& message) {
      const auto media = line_after(message, "m=audio ");
      if (!media.empty())
        attacker.aim_at(static_cast<uint16_t>(std::stoul(std::string{media})),
                        std::string{line_after(message, "a=ice-ufrag:")});
    },
    0);
  attacker.stop();
  expect_unharmed(call_count);
  EXPECT_EQ(attacker.heard(), 0U) << "nothing but refusals is sent to a stranger";

  const auto sent = [&](hostile_kind kind) { return attacker.sent(kind) / 2; }; // to each end
  EXPECT_GT(attacker.sent(hostile_kind::hello), 10'000U);
  for (const auto* side : {&called_.summary, &answered_}) {
    const auto& media = side->at("media");
    // Most of it came while the call was up.
    EXPECT_GT(media.at("strangers"),
              (sent(hostile_kind::hello) + sent(hostile_kind::rtp) + sent(hostile_kind::rtcp)) / 2);
    EXPECT_GT(media.at("unauthenticated"),
              (sent(hostile_kind::wrong_ufrag) + sent(hostile_kind::wrong_password) +
               sent(hostile_kind::response)) /
                2);
    EXPECT_GT(media.at("malformed"), sent(hostile_kind::noise) / 8);
    EXPECT_EQ(media.at("forged"), 0) << "strangers are told by their address";
    std::cout << "of " << attacker.sent() / 2 << " each: strangers " << media.at("strangers")
              << ", unauthenticated " << media.at("unauthenticated") << ", malformed "
              << media.at("malformed") << "; MOS " << media.at("received").at("mos_min") << '\n';
  }
}

/// Another fingerprint in every second call's offer, or answer.
class hostile_fingerprint : public hostile_media, public testing::WithParamInterface<bool> {};

TEST_P(hostile_fingerprint, sec_20_ends_its_call_by_name_and_no_other) {
  const bool in_offer = GetParam();
  every_second chosen;
  run(
    [&](sip_tap::way, std::string& message) {
      const bool carries = in_offer ? is_request(message, "INVITE") : accepts(message, "INVITE");
      const auto print = message.find("a=fingerprint:");
      if (!chosen(message) || !carries || print == std::string::npos)
        return;
      auto& digit = message[message.find(' ', print) + 1];
      digit = digit == 'A' ? 'B' : 'A';
    },
    1);
  expect_unharmed(call_count / 2);
  const auto& deceived = in_offer ? answered_ : called_.summary;
  EXPECT_EQ(deceived.at("failures").at("dtls_identity"), call_count / 2)
    << deceived.at("failures") << (in_offer ? called_.summary : answered_).at("failures");
}

INSTANTIATE_TEST_SUITE_P(of, hostile_fingerprint, testing::Values(true, false),
                         [](const auto& in_offer) {
                           return in_offer.param ? "the_caller" : "the_callee";
                         });

} // namespace
} // namespace jackfield::tests
