#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "engine/sdp/negotiation.hpp"
#include "tests/sdp/samples.hpp"

namespace jackfield::sdp {
namespace {

/// Names of the attributes of a description.
std::set<std::string> attribute_names(std::string_view text) {
  std::set<std::string> names;
  for (std::size_t at = text.find("\na="); at != text.npos; at = text.find("\na=", at + 1)) {
    const auto line = text.substr(at + 3, text.find_first_of("\r\n", at + 1) - at - 3);
    names.emplace(line.substr(0, line.find(':')));
  }
  return names;
}

// What is left out of an answer is not used (RFC 4585 section 4.2, RFC 8285 section 7). We send no
// feedback but reports, and neither write nor read header extensions.
TEST(feedback_and_extensions, are_neither_offered_nor_answered_as_none_is_done_here) {
  constexpr std::string_view browser =
    "v=0\r\no=- 4611732 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    "a=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 110\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlqz\r\na=ice-options:trickle\r\n"
    "a=fingerprint:sha-256 75:74:5A\r\na=setup:actpass\r\na=mid:0\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
    "a=extmap:4/recvonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=sendrecv\r\na=msid:stream track\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtcp-mux-only\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=rtcp-fb:* nack\r\n"
    "a=rtcp-fb:* trr-int 1000\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:63 red/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:110 telephone-event/48000\r\n"
    "a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n"
    "a=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\na=rtcp-fb:96 ccm fir\r\n";
  media_capabilities can;
  can.codecs = {opus(), g722(), pcmu(), pcma(), telephone_event(), telephone_event(110, 48'000)};
  can.profiles = {"UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "RTP/AVPF", "RTP/AVP"};
  can.protections = {protection::dtls, protection::none};
  can.rtcp_mux = can.rtcp_rsize = can.bundle = true;
  stream_transport own;
  own.fingerprints = {{"sha-256", "AA:BB"}};
  own.role = setup::actpass;
  own.ice = {"ufrag", "password-of-22-characters", {"1 1 udp 1 192.0.2.1 9 typ host"}};
  const std::set<std::string> done{"group",
                                   "mid",
                                   "rtpmap",
                                   "fmtp",
                                   "ptime",
                                   "sendrecv",
                                   "sendonly",
                                   "recvonly",
                                   "inactive",
                                   "rtcp-mux",
                                   "rtcp-rsize",
                                   "fingerprint",
                                   "setup",
                                   "ice-ufrag",
                                   "ice-pwd",
                                   "candidate",
                                   "end-of-candidates"};
  const auto local = std::make_shared<const offer_template>("198.51.100.7", can);
  const auto expect_honest = [&](const std::string& text, const std::string& name) {
    for (const auto& each : attribute_names(text))
      EXPECT_TRUE(done.contains(each)) << name << ": a=" << each;
  };
  negotiation caller(local, 20'000, 1);
  caller.set_transport(std::make_shared<const stream_transport>(own));
  const auto offer = caller.offer(direction::sendrecv);
  ASSERT_TRUE(offer);
  expect_honest(offer->text, "our offer");

  auto samples = tests::sdp_samples();
  samples.push_back({"browser", std::string(browser)});
  std::size_t with_some = 0;
  for (const auto& sample : samples) {
    negotiation callee(local, 20'000, 1);
    callee.set_transport(std::make_shared<const stream_transport>(own));
    const auto taken = callee.take_offer(sample.text);
    if (!taken)
      continue;
    const auto answer = callee.answer(*taken, direction::sendrecv);
    ASSERT_TRUE(answer) << sample.name << ": " << answer.error().to_string();
    expect_honest(answer->text, sample.name);
    const auto theirs = attribute_names(sample.text);
    with_some += theirs.contains("extmap") || theirs.contains("rtcp-fb") ? 1 : 0;
  }
  EXPECT_GE(with_some, samples.size() == 1 ? 1U : 10U) << "offers that have some, and are answered";
}

} // namespace
} // namespace jackfield::sdp
