#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"
#include "tests/interop/raw_caller.hpp"
#include "tests/interop/sip_tap.hpp"

namespace jackfield::tests {
namespace {

/// Where the media of these descriptions is: nobody is there.
constexpr std::string_view nowhere = "9";

std::string described(const std::string& media) {
  return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + media;
}

std::string audio(const std::string& formats, const std::string& lines = {}) {
  return described("m=audio " + std::string{nowhere} + " RTP/AVP " + formats + "\r\n" + lines);
}

std::string repeated(std::string_view text, int times) {
  std::string made;
  for (int i = 0; i < times; ++i)
    made += text;
  return made;
}

/// Descriptions that are none.
std::vector<std::string> malformed() {
  const std::string nul(1, '\0');
  std::vector<std::string> made{
    "x",
    nul,
    "v=0\r\n",
    "v=1\r\n",
    audio("-1"),
    audio("0", "a=fmtp:0 mode" + nul + "=20\r\n"),
    audio("0" + nul),
    audio("0", repeated("a=x\n", 3'000)),
    audio("0", "a=ptime\r\n" + std::string(3, '\xff')),
    described("m=audio 99999999999 RTP/AVP 0\r\n"),
    described("m=audio\r\n"),
    described(repeated("m=audio 9 RTP/AVP 0\r\n", 1'000)),
  };
  for (const std::string number : {"128", "255", "65536", "4294967295", "4294967296",
                                   "4294967296000", "99999999999999999999999999"}) {
    made.push_back(audio(number));
    made.push_back(audio("0", "a=rtpmap:" + number + " PCMU/8000\r\n"));
    made.push_back(audio("0", "a=fmtp:" + number + " 0-15\r\n"));
  }
  return made;
}

/// Some that are to be understood as far as they can be, or refused.
std::vector<std::string> odd() {
  std::vector<std::string> made;
  for (const std::string length :
       {"0", "-1", "0.125", "65556", "4294967316", "18446744073709551636"})
    made.push_back(audio("0", "a=ptime:" + length + "\r\na=maxptime:" + length + "\r\n"));
  const auto webrtc = [&](const std::string& lines) {
    made.push_back(described("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" + lines));
  };
  const std::string print = "a=fingerprint:sha-256 " + repeated("AA:", 31) + "AA\r\n";
  const std::string user = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n";
  webrtc({});
  webrtc(print);
  webrtc(print + "a=ice-ufrag:abc\r\na=ice-pwd:short\r\n");
  webrtc(print + "a=ice-ufrag:" + std::string(257, 'u') + "\r\na=ice-pwd:" + std::string(257, 'p') +
         "\r\n");
  webrtc(user + "a=fingerprint:sha-256 AA\r\n");
  webrtc(user + "a=fingerprint:sha-256 " + repeated("AA:", 3'000) + "\r\n");
  webrtc(user + repeated(print, 200));
  webrtc(user + print + "a=setup:holdconn\r\n");
  webrtc(user + print + repeated("a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n", 1'000));
  webrtc(user + print + "a=candidate:" + std::string(5'000, '1') + "\r\n");
  webrtc(user + print + "a=candidate:1 1 udp 99999999999999999999 127.0.0.1 999999 typ host\r\n");
  made.push_back(described("m=audio 9 RTP/SAVP 0\r\n" +
                           repeated("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AA\r\n", 200)));
  made.push_back(described(
    "m=audio 9 RTP/SAVP 0\r\na=crypto:4294967296 X inline:" + std::string(5'000, 'A') + "\r\n"));
  made.push_back(audio("111", "a=rtpmap:111 opus/99999999999/999999\r\n"));
  made.push_back(audio("101", "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-4294967296\r\n"));
  made.push_back(audio("0 0 0 8 8 0"));
  made.push_back(described("m=audio 0 RTP/AVP 0\r\n"));
  made.push_back(described("m=video 9 RTP/AVP 96\r\n"));
  return made;
}

uint64_t sum_of(const nlohmann::json& counts) {
  uint64_t sum = 0;
  for (const auto& count : counts)
    sum += count.get<uint64_t>();
  return sum;
}

class hostile_sdp : public testing::Test {
protected:
  static bool refused(const std::string& response) {
    return response.starts_with("SIP/2.0 400 ") || response.starts_with("SIP/2.0 488 ");
  }
  /// The server is as able as it was.
  void expect_serves(const answerer& server) {
    const auto outcome = run_load(folder_, {sip_uri("service", server.port), "--media", "rtp", "-m",
                                            "3", "-r", "3", "-d", "500"});
    EXPECT_EQ(outcome.summary.at("calls").at("completed"), 3) << outcome.summary.at("failures");
  }

  const scratch_folder folder_;
};

TEST_F(hostile_sdp, sec_03_is_refused_as_an_offer) {
  auto answer = start_answerer(folder_, "udp:127.0.0.1:0");
  raw_caller caller(answer.port);
  for (const auto& offer : malformed()) {
    const auto response = caller.invite(offer);
    EXPECT_TRUE(refused(response)) << response << "\nto " << offer.substr(0, 300);
  }
  for (const auto& offer : odd()) {
    const auto response = caller.invite(offer);
    if (accepts(response, "INVITE")) {
      caller.acknowledge(response);
      caller.hang_up();
    } else {
      EXPECT_TRUE(refused(response)) << response << "\nto " << offer.substr(0, 300);
    }
  }
  expect_serves(answer);
  answer.finish(1);
}

TEST_F(hostile_sdp, sec_03_as_the_answer_in_an_ack_is_followed_by_a_bye) {
  auto answer = start_answerer(folder_, "udp:127.0.0.1:0", {"--media", "rtp"});
  raw_caller caller(answer.port);
  for (const auto& wrong : malformed()) {
    const auto response = caller.invite({});
    ASSERT_TRUE(accepts(response, "INVITE")) << response;
    caller.acknowledge(response, wrong);
    caller.wait_for_bye();
  }
  for (const auto& strange : odd()) {
    const auto response = caller.invite({});
    ASSERT_TRUE(accepts(response, "INVITE")) << response;
    caller.acknowledge(response, strange);
    caller.hang_up();
  }
  expect_serves(answer);
  answer.finish();
}

TEST_F(hostile_sdp, sec_03_as_the_answer_in_a_200_ends_its_call_by_name_and_no_other) {
  const auto wrong = malformed();
  const auto count = 2 * wrong.size();
  const auto behind = free_port();
  size_t answered = 0;
  const sip_tap tap(behind, [&](sip_tap::way, std::string& message) {
    if (accepts(message, "INVITE") && ++answered % 2 == 0)
      message.replace(message.find("\r\n\r\n") + 4, std::string::npos,
                      wrong[answered / 2 % wrong.size()]);
  });
  auto answer =
    start_answerer(folder_, "udp:" + loopback(behind), {"--advertise", loopback(tap.port())});
  const auto outcome = run_load(folder_, {sip_uri("service", tap.port()), "--media", "rtp", "-m",
                                          std::to_string(count), "-r", "30", "-d", "500"});
  EXPECT_EQ(outcome.summary.at("calls").at("answered"), count);
  EXPECT_EQ(outcome.summary.at("calls").at("completed"), wrong.size());
  EXPECT_EQ(outcome.summary.at("failures").at("bad_sdp"), wrong.size())
    << outcome.summary.at("failures");
  const auto report = answer.finish();
  EXPECT_EQ(report.at("calls").at("completed").get<uint64_t>() + sum_of(report.at("failures")),
            count)
    << "each call has ended";
}

/// What no protection is left in.
void unprotect(std::string& message) {
  for (const auto* line : {"a=fingerprint:", "a=setup:", "a=crypto:", "a=ice-ufrag:", "a=ice-pwd:",
                           "a=candidate:", "a=end-of-candidates"})
    replace_lines(message, line, {});
  for (const std::string_view profile : {" UDP/TLS/RTP/SAVPF ", " RTP/SAVP "})
    if (const auto at = message.find(profile); at != std::string::npos)
      message.replace(at, profile.size(), " RTP/AVP ");
}

/// Calls that are protected, with somebody on the way who takes the protection out.
class sec_23 : public hostile_sdp, public testing::WithParamInterface<const char*> {
protected:
  static constexpr uint64_t call_count = 4;

  load_outcome run(const sip_tap::reader& on_message, const arguments& more) {
    const auto behind = free_port();
    const sip_tap tap(behind, on_message);
    auto answer =
      start_answerer(folder_, "udp:" + loopback(behind), {"--advertise", loopback(tap.port())});
    arguments all{
      sip_uri("service", tap.port()), "--media", GetParam(), "-m", std::to_string(call_count), "-r",
      std::to_string(call_count),     "-d",      "4000"};
    all.insert(all.end(), more.begin(), more.end());
    auto outcome = run_load(folder_, all);
    answered_ = answer.finish();
    return outcome;
  }
  static bool is_later(std::string_view message) {
    return header_of(message, "CSeq") != "1 INVITE";
  }

  nlohmann::json answered_;
};

TEST_P(sec_23, a_re_invite_without_protection_is_refused_and_its_call_unharmed) {
  std::vector<std::string> responses;
  const auto outcome = run(
    [&](sip_tap::way, std::string& message) {
      if (is_request(message, "INVITE") && is_later(message))
        unprotect(message);
      else if (message.starts_with("SIP/2.0 ") && is_later(message) &&
               header_of(message, "CSeq").ends_with(" INVITE"))
        responses.push_back(message.substr(0, message.find("\r\n")));
    },
    {"--hold-after", "1s:1s"});
  for (const auto& each : responses)
    EXPECT_EQ(each, "SIP/2.0 488 Not Acceptable Here");
  EXPECT_GE(responses.size(), call_count);
  EXPECT_EQ(outcome.summary.at("steps").at("hold").at("failed"), call_count);
  EXPECT_EQ(outcome.summary.at("calls").at("completed"), call_count)
    << outcome.summary.at("failures");
  for (const auto& side : {outcome.summary, answered_}) {
    const auto& heard = side.at("media").at("received");
    EXPECT_GT(heard.at("packets_received"), call_count * 180) << "on both ways for all of 4 s";
    EXPECT_EQ(heard.at("packets_lost"), 0);
    EXPECT_GT(heard.at("mos_min"), 4);
    EXPECT_EQ(side.at("media").at("forged"), 0);
  }
}

TEST_P(sec_23, an_answer_without_protection_ends_the_call_by_name) {
  const auto outcome = run(
    [](sip_tap::way, std::string& message) {
      if (accepts(message, "INVITE"))
        unprotect(message);
    },
    {});
  EXPECT_EQ(outcome.summary.at("failures").at("bad_sdp"), call_count)
    << outcome.summary.at("failures");
  EXPECT_EQ(outcome.summary.at("media").at("packets_sent"), 0) << "in the clear";
}

TEST_P(sec_23, an_offer_without_protection_is_refused_where_it_is_asked_for) {
  auto answer = start_answerer(folder_, "udp:127.0.0.1:0", {"--media", GetParam()});
  raw_caller caller(answer.port);
  const auto response = caller.invite(audio("0 8"));
  EXPECT_TRUE(response.starts_with("SIP/2.0 488 ")) << response;
  answer.finish(1);
}

INSTANTIATE_TEST_SUITE_P(over, sec_23, testing::Values("srtp", "webrtc"),
                         [](const auto& media) { return std::string{media.param}; });

} // namespace
} // namespace jackfield::tests
