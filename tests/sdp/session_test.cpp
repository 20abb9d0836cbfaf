#include "engine/sdp/session.hpp"

#include <algorithm>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/guarded_bytes.hpp"
#include "tests/sdp/samples.hpp"

namespace jackfield::sdp {
namespace {

using testing::HasSubstr;

const std::string head =
  "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

/// The place and cause of the error that `text` is refused with.
error refusal(std::string_view text) {
  auto got = parse(text);
  return got ? error{"none", "parsed"} : got.error();
}

media_description only_media(std::string_view text) {
  auto got = parse(text);
  EXPECT_TRUE(got) << got.error().to_string();
  return got && got->media.size() == 1 ? got->media.front() : media_description{};
}

void expect_fixpoint(const std::string& name, std::string_view text) {
  auto first = parse(text);
  ASSERT_TRUE(first) << name << ": " << first.error().to_string();
  std::string printed = print(*first);
  auto second = parse(printed);
  ASSERT_TRUE(second) << name << ": " << second.error().to_string();
  EXPECT_EQ(*first, *second) << name;
  EXPECT_EQ(printed, print(*second)) << name;
}

std::string repeated(std::string_view line, std::size_t times) {
  std::string made;
  for (std::size_t i = 0; i < times; ++i) {
    made += line;
  }
  return made;
}

TEST(session, prints_what_it_parsed) {
  auto got = parse(tests::g711_offer);
  ASSERT_TRUE(got);
  EXPECT_EQ(print(*got), tests::g711_offer);
}

TEST(session, reads_the_session_level) {
  auto got = parse("v=0\r\no=jdoe 2890844526 2890842807 IN IP6 2001:db8::1\r\ns=Seminar\r\n"
                   "i=about\r\nu=http://example.com\r\ne=j@example.com\r\np=+1 617 555-6011\r\n"
                   "c=IN IP6 2001:db8::1\r\nb=AS:64\r\nb=X-YZ:128\r\n"
                   "t=2873397496 2873404696\r\nr=7d 1h 0 25h\r\nz=2882844526 -1h\r\nt=0 0\r\n"
                   "k=prompt\r\na=recvonly\r\na=group:BUNDLE a b\r\na=tool:other\r\n");
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->from.username, "jdoe");
  EXPECT_EQ(got->from.session_id, 2890844526u);
  EXPECT_EQ(got->from.version, 2890842807u);
  EXPECT_EQ(got->from.address.family, "IP6");
  EXPECT_EQ(got->name, "Seminar");
  ASSERT_TRUE(got->address);
  EXPECT_EQ(got->address->host, "2001:db8::1");
  ASSERT_EQ(got->bandwidths.size(), 2u);
  EXPECT_EQ(got->bandwidths[1].value, 128u);
  ASSERT_EQ(got->times.size(), 2u);
  EXPECT_EQ(got->times[0].repeats.size(), 2u);
  ASSERT_EQ(got->lines.size(), 5u);
  EXPECT_EQ(got->lines.back().type, 'k');
  ASSERT_NE(find<direction>(got->attributes), nullptr);
  EXPECT_EQ(*find<direction>(got->attributes), direction::recvonly);
  ASSERT_NE(find<group>(got->attributes), nullptr);
  EXPECT_EQ(find<group>(got->attributes)->mids, (std::vector<std::string>{"a", "b"}));
  ASSERT_NE(find(got->attributes, "tool"), nullptr);
  EXPECT_EQ(find(got->attributes, "tool")->value, "other");
}

TEST(session, reads_the_attributes_it_knows) {
  auto media = only_media(
    head +
    "m=audio 40000/2 RTP/AVP 0 111\r\ni=label\r\nc=IN IP4 233.252.0.1/127/3\r\nb=TIAS:64000\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=ptime:30\r\n"
    "a=maxptime:60\r\na=sendonly\r\na=rtcp:53020 IN IP6 2001:db8::2\r\na=rtcp-mux\r\n"
    "a=ssrc:4294967295 cname:x y\r\na=mid:0\r\na=setup:actpass\r\n"
    "a=fingerprint:sha-256 AA:BB\r\na=ice-lite\r\na=crypto:1 AES inline:x|2^20\r\n");
  EXPECT_EQ(media.port, 40000);
  EXPECT_EQ(media.port_count, 2);
  EXPECT_EQ(media.formats, (std::vector<std::string>{"0", "111"}));
  EXPECT_EQ(media.connections.front().suffix, "/127/3");
  EXPECT_EQ(*find<rtpmap>(media.attributes), (rtpmap{111, "opus", 48000, 2}));
  EXPECT_EQ(find<fmtp>(media.attributes)->parameters, "minptime=10;useinbandfec=1");
  EXPECT_EQ(find<ptime>(media.attributes)->ms, 30);
  EXPECT_EQ(find<maxptime>(media.attributes)->ms, 60);
  EXPECT_EQ(*find<direction>(media.attributes), direction::sendonly);
  EXPECT_EQ(find<rtcp>(media.attributes)->port, 53020);
  EXPECT_EQ(find<rtcp>(media.attributes)->address->host, "2001:db8::2");
  EXPECT_NE(find<rtcp_mux>(media.attributes), nullptr);
  EXPECT_EQ(*find<ssrc>(media.attributes), (ssrc{4294967295u, "cname:x y"}));
  EXPECT_EQ(find<mid>(media.attributes)->tag, "0");
  EXPECT_EQ(*find<setup>(media.attributes), setup::actpass);
  EXPECT_EQ(*find<fingerprint>(media.attributes), (fingerprint{"sha-256", "AA:BB"}));
  EXPECT_FALSE(find(media.attributes, "ice-lite")->value.has_value());
  EXPECT_EQ(find(media.attributes, "crypto")->value, "1 AES inline:x|2^20");
}

TEST(session, keeps_attributes_of_another_form_as_they_came) {
  for (std::string line : {"rtpmap:96 AppleLossless",
                           "rtpmap:x PCMU/8000",
                           "rtpmap:0 PCMU/0",
                           "rtpmap:0 PCMU/8000/0",
                           "rtpmap:0 PCMU/99999999999",
                           "rtpmap:0 /8000",
                           "rtpmap:0 PCMU/8000 x",
                           "rtpmap",
                           "rtpmap:",
                           "fmtp:101",
                           "fmtp:101 ",
                           "fmtp:* x",
                           "ptime:abc",
                           "ptime:20 ms",
                           "ptime:.5",
                           "ptime:1.",
                           "ptime:-20",
                           "ptime",
                           "rtcp:70000",
                           "rtcp:1 IN",
                           "rtcp:1 IN IP4 a b",
                           "rtcp-mux:1",
                           "sendrecv:1",
                           "ssrc:4294967296 x",
                           "ssrc:1",
                           "mid:",
                           "mid:a b",
                           "group:",
                           "setup:ACTIVE",
                           "fingerprint:sha-1",
                           "fingerprint:sha-1 A B",
                           "SENDRECV"}) {
    std::string text = head + "m=audio 40000 RTP/AVP 0\r\na=" + line + "\r\n";
    auto media = only_media(text);
    ASSERT_EQ(media.attributes.size(), 1u) << line;
    EXPECT_TRUE(std::holds_alternative<raw_attribute>(media.attributes.front())) << line;
    EXPECT_EQ(print(*parse(text)), text) << line;
  }
}

TEST(session, reads_what_others_write) {
  // LF only, no s=, no t=, blank lines at the end, a user name with a space, doubled spaces.
  auto got = parse("v=0\no=my phone 1 2 IN IP4 host.example\nc=IN  IP4  media.example\n"
                   "m=audio 9  RTP/AVP  0 008\nf=odd\n\n\r\n");
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->from.username, "my phone");
  EXPECT_EQ(got->name, "-");
  EXPECT_EQ(got->address->host, "media.example");
  EXPECT_EQ(got->media[0].formats, (std::vector<std::string>{"0", "8"}));
  EXPECT_EQ(got->media[0].lines, (std::vector<raw_line>{{'f', "odd"}}));
  EXPECT_EQ(got->times, std::vector<timing>(1));
  expect_fixpoint("others", print(*got));
}

TEST(session, brings_lines_into_the_order_of_the_rfc) {
  auto got = parse("v=0\r\nk=clear\r\nx=1\r\na=inactive\r\nb=AS:1\r\nt=1 2\r\ni=info\r\n"
                   "s=late\r\no=- 1 1 IN IP4 192.0.2.1\r\n");
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(print(*got), "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=late\r\ni=info\r\nb=AS:1\r\n"
                         "t=1 2\r\nk=clear\r\nx=1\r\na=inactive\r\n");
  expect_fixpoint("order", print(*got));
}

TEST(session, accepts_a_refused_stream_without_formats) {
  EXPECT_EQ(only_media(head + "m=video 0 RTP/AVP\r\n").formats.size(), 0u);
}

TEST(session, errors_name_the_line) {
  EXPECT_EQ(refusal(head + "m=audio 99999 RTP/AVP 0\r\n"),
            (error{"sdp line 6", "the port in m= is not from 0 to 65535"}));
  EXPECT_EQ(refusal(head + "m=audio 9 RTP/AVP 0\r\na=rtpmap:128 x/8000\r\n").place, "sdp line 7");
}

TEST(session, refuses_what_is_no_description) {
  const std::vector<std::pair<std::string, std::string>> cases{
    {"", "sdp: empty"},
    {"\r\n", "sdp line 1: empty"},
    {"v=1\r\n", "sdp line 1: expected"},
    {"o=- 1 1 IN IP4 x\r\n", "sdp line 1: expected"},
    {"v=0\r\n", "sdp: no o= line"},
    {head + "v=0\r\n", "sdp line 6: a second v="},
    {head + "o=- 1 1 IN IP4 x\r\n", "sdp line 6: a second o="},
    {head + "s=x\r\n", "sdp line 6: a second s="},
    {head + "c=IN IP4 x\r\n", "sdp line 6: a second c="},
    {"v=0\r\no=1 1 IN IP4 x\r\n", "sdp line 2: o= needs"},
    {"v=0\r\no=- 1 1 IN IP4 \r\n", "sdp line 2: o= has an empty field"},
    {"v=0\r\no=- 18446744073709551616 1 IN IP4 x\r\n", "sdp line 2: the session id"},
    {"v=0\r\no=- 1 -1 IN IP4 x\r\n", "sdp line 2: the version"},
    {"v=0\r\nr=1\r\n", "sdp line 2: r= or z="},
    {"v=0\r\nt=1\r\n", "sdp line 2: t= needs"},
    {"v=0\r\nt=1 2 3\r\n", "sdp line 2: t= needs"},
    {"v=0\r\nc=IN IP4\r\n", "sdp line 2: c= needs"},
    {"v=0\r\nc=IN IP4 /3\r\n", "sdp line 2: c= needs"},
    {"v=0\r\nb=AS\r\n", "sdp line 2: b= needs"},
    {"v=0\r\nb=AS:x\r\n", "sdp line 2: b= needs"},
    {"v=0\r\nhello\r\n", "sdp line 2: not of the form"},
    {"v=0\r\na\r\n", "sdp line 2: not of the form"},
    {"v=0\r\nA=x\r\n", "sdp line 2: a line's type"},
    {"v=0\r\na=:x\r\n", "sdp line 2: an attribute without a name"},
    {"v=0\r\n\r\ns=x\r\n", "sdp line 2: an empty line within"},
    {"v=0\r\na=x\ry\r\n", "sdp line 2: a CR without LF"},
    {head + "m=audio\r\n", "sdp line 6: m= needs"},
    {head + "m=audio 9 RTP/AVP\r\n", "sdp line 6: m= without formats"},
    {head + "m=audio -1 RTP/AVP 0\r\n", "sdp line 6: the port"},
    {head + "m=audio 9/0 RTP/AVP 0\r\n", "sdp line 6: the number of ports"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(refusal(text).to_string(), HasSubstr(expected)) << text;
  }
}

TEST(session, judges_hosts_by_their_text) {
  EXPECT_EQ(kind_of("192.0.2.1"), host_kind::ipv4);
  EXPECT_EQ(kind_of("2001:db8::1"), host_kind::ipv6);
  EXPECT_EQ(kind_of("192.0.2.1.example"), host_kind::name);
  EXPECT_EQ(kind_of(""), host_kind::name);
  EXPECT_EQ(kind_of(std::string(5000, '1')), host_kind::name);
  EXPECT_EQ(connection_at("::1").family, "IP6");
  EXPECT_EQ(connection_at("host.example").family, "IP4");
}

TEST(session, knows_rtp_profiles) {
  for (const char* profile : {"RTP/AVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF", "TCP/RTP/AVP"}) {
    EXPECT_TRUE(is_rtp(profile)) << profile;
  }
  for (const char* profile : {"udptl", "TCP", "UDP/DTLS/SCTP", "XRTP/AVP", "UDP/BFCP"}) {
    EXPECT_FALSE(is_rtp(profile)) << profile;
  }
}

TEST(session, reverses_directions) {
  EXPECT_EQ(reversed(direction::sendonly), direction::recvonly);
  EXPECT_EQ(reversed(direction::recvonly), direction::sendonly);
  EXPECT_EQ(reversed(direction::sendrecv), direction::sendrecv);
  EXPECT_EQ(reversed(direction::inactive), direction::inactive);
}

TEST(session, descriptions_of_others_reach_a_fixpoint) {
  auto samples = tests::sdp_samples();
  if (samples.empty()) {
    GTEST_SKIP() << "no test data: 0 descriptions read";
  }
  for (const auto& sample : samples) {
    expect_fixpoint(sample.name, sample.text);
  }
  RecordProperty("descriptions", static_cast<int>(samples.size()));
  std::cout << samples.size() << " descriptions of others read\n";
}

TEST(session, every_prefix_stays_within_its_bytes) {
  auto samples = tests::sdp_samples();
  samples.push_back({"g711", std::string(tests::g711_offer)});
  for (const auto& sample : samples) {
    tests::guarded_bytes whole(sample.text, tests::guarded_bytes::guard::before);
    EXPECT_TRUE(parse(whole.view())) << sample.name;
    // Moving the start of one guarded copy gives suffixes; a copy a length gives prefixes.
    for (std::size_t length = 0; length < sample.text.size(); ++length) {
      tests::guarded_bytes prefix(std::string_view(sample.text).substr(0, length));
      if (auto got = parse(prefix.view()); got) {
        expect_fixpoint(sample.name, prefix.view());
      }
    }
  }
}

TEST(sec_02, counts_of_the_remote_side_are_bounded) {
  const std::string media = "m=audio 9 RTP/AVP 0\r\n";
  EXPECT_TRUE(parse(head + repeated(media, max_media)));
  EXPECT_THAT(refusal(head + repeated(media, max_media + 1)).cause, HasSubstr("m-lines"));
  EXPECT_TRUE(parse(head + "m=audio 9 RTP/AVP" + repeated(" 0", max_formats) + "\r\n"));
  EXPECT_THAT(refusal(head + "m=audio 9 RTP/AVP" + repeated(" 0", max_formats + 1) + "\r\n").cause,
              HasSubstr("formats"));
  const std::string candidate = "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n";
  EXPECT_TRUE(parse(head + repeated(media + repeated(candidate, max_candidates), 2)));
  EXPECT_THAT(refusal(head + media + repeated(candidate, max_candidates + 1)).cause,
              HasSubstr("candidates"));
}

TEST(sec_02, repeated_lines_of_every_kind_are_bounded) {
  for (std::string line : {"v=0",
                           "o=- 1 1 IN IP4 x",
                           "s=-",
                           "i=x",
                           "u=x",
                           "e=x",
                           "p=x",
                           "c=IN IP4 x",
                           "b=AS:1",
                           "t=0 0",
                           "r=1",
                           "z=1",
                           "k=x",
                           "x=x",
                           "a=x",
                           "a=x:y",
                           "a=rtpmap:0 PCMU/8000",
                           "a=fmtp:0 x",
                           "a=ptime:20",
                           "a=maxptime:20",
                           "a=sendrecv",
                           "a=rtcp:1",
                           "a=rtcp-mux",
                           "a=ssrc:1 x",
                           "a=mid:x",
                           "a=group:x y",
                           "a=fingerprint:x y",
                           "a=setup:active",
                           "a=ice-ufrag:x",
                           "a=candidate:x",
                           "a=crypto:1 x y",
                           "m=audio 9 RTP/AVP 0",
                           ""}) {
    for (std::string_view before : {"", "m=audio 9 RTP/AVP 0\r\n"}) {
      for (std::size_t times : {1u, 2u, 33u, 1'000u, 1'993u, 2'000u, 10'000u}) {
        auto got = parse(head + std::string(before) + repeated(line + "\r\n", times));
        if (times >= 2'000 && !line.empty()) {
          EXPECT_FALSE(got) << line << " x " << times;
        }
        if (got) {
          expect_fixpoint(line, print(*got));
        }
      }
    }
  }
}

TEST(sec_03, payload_types_are_checked_before_they_are_used) {
  const std::string media = "m=audio 9 RTP/AVP 0\r\na=";
  for (std::string number : {"128", "255", "256", "4294967295", "4294967296", "4294967296000",
                             "99999999999999999999999999"}) {
    EXPECT_THAT(refusal(head + "m=audio 9 RTP/AVP " + number + "\r\n").to_string(),
                HasSubstr("sdp line 6: a payload type"));
    EXPECT_THAT(refusal(head + media + "rtpmap:" + number + " x/8000\r\n").to_string(),
                HasSubstr("sdp line 7: a payload type"));
    EXPECT_THAT(refusal(head + media + "fmtp:" + number + " x\r\n").to_string(),
                HasSubstr("sdp line 7: a payload type"));
  }
  for (std::string format : {"-1", "x", "0x10", "*", "1e1", "+1"}) {
    EXPECT_THAT(refusal(head + "m=audio 9 RTP/AVP " + format + "\r\n").cause,
                HasSubstr("a payload type"));
  }
  EXPECT_TRUE(parse(head + media + "rtpmap:127 x/8000\r\n"));
  // Where formats are no payload types the same numbers mean something else.
  EXPECT_TRUE(parse(head + "m=application 9 DTLS/SCTP 5000\r\na=fmtp:5000 x\r\n"));
}

TEST(sec_03, a_nul_is_refused_wherever_it_stands) {
  std::string text(tests::g711_offer);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string broken = text;
    broken[at] = '\0';
    EXPECT_FALSE(parse(broken)) << at;
  }
}

TEST(sec_03, packet_lengths_are_clamped) {
  auto ms = [](const std::string& value) {
    auto media = only_media(head + "m=audio 9 RTP/AVP 0\r\na=ptime:" + value +
                            "\r\na=maxptime:" + value + "\r\n");
    EXPECT_EQ(find<ptime>(media.attributes)->ms, find<maxptime>(media.attributes)->ms);
    return find<ptime>(media.attributes)->ms;
  };
  EXPECT_EQ(ms("0"), 10);
  EXPECT_EQ(ms("0.125"), 10);
  EXPECT_EQ(ms("10"), 10);
  EXPECT_EQ(ms("20.0"), 20);
  EXPECT_EQ(ms("120"), 120);
  EXPECT_EQ(ms("121"), 120);
  EXPECT_EQ(ms("65556"), 120);
  EXPECT_EQ(ms("4294967316"), 120);
  EXPECT_EQ(ms("18446744073709551636"), 120);
}

TEST(sec_03, size_and_lines_are_capped) {
  std::string long_line = head + "a=x:" + std::string(max_bytes, 'y');
  EXPECT_THAT(refusal(long_line).to_string(), HasSubstr("sdp: larger than 65536 bytes"));
  EXPECT_TRUE(parse(long_line.substr(0, max_bytes)));
  EXPECT_TRUE(parse(head + repeated("a=x\n", max_lines - 5)));
  EXPECT_EQ(refusal(head + repeated("a=x\n", max_lines - 4)).place, "sdp line 2001");
}

} // namespace
} // namespace jackfield::sdp
