#include "engine/sdp/offer_answer.hpp"

#include <algorithm>
#include <iostream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/guarded_bytes.hpp"
#include "tests/sdp/samples.hpp"

namespace jackfield::sdp {
namespace {

using testing::HasSubstr;

constexpr std::string_view our_host = "198.51.100.7";
constexpr std::uint16_t our_port = 20'000;

session parsed(std::string_view text) {
  auto got = parse(text);
  EXPECT_TRUE(got) << got.error().to_string();
  return got.value_or(session{});
}

/// A description with one m-line and what belongs to it, from 192.0.2.1.
session with_media(const std::string& media) {
  return parsed("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
                media);
}

result<answer_outcome> answered(const session& offer, const media_capabilities& with = {}) {
  return make_answer(offer, with, our_host, our_port, 77);
}

std::string refusal(const session& offer, const media_capabilities& with = {}) {
  auto got = answered(offer, with);
  return got ? "answered" : got.error().to_string();
}

/// What RFC 3264 asks of every answer, whatever was offered.
void expect_fits(const session& offer, const session& answer, const std::string& name) {
  ASSERT_EQ(answer.media.size(), offer.media.size()) << name;
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    EXPECT_EQ(answer.media[i].type, offer.media[i].type) << name;
    EXPECT_EQ(answer.media[i].profile, offer.media[i].profile) << name;
    accepted += answer.media[i].port != 0;
    std::set<std::string> offered(offer.media[i].formats.begin(), offer.media[i].formats.end());
    for (const auto& format : answer.media[i].formats) {
      EXPECT_EQ(offered.count(format), 1u) << name << ": " << format;
    }
  }
  EXPECT_EQ(accepted, 1u) << name;
  auto again = parse(print(answer));
  ASSERT_TRUE(again) << name << ": " << again.error().to_string();
  EXPECT_EQ(*again, answer) << name;
}

TEST(offer_answer, an_offer_reads_as_the_rfc_says) {
  EXPECT_EQ(print(make_offer("192.0.2.1", 40'000, {}, 12, 3)),
            "v=0\r\no=- 12 3 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
            "a=sendrecv\r\n");
  EXPECT_THAT(print(make_offer("2001:db8::1", 40'000, {}, 1)),
              HasSubstr("c=IN IP6 2001:db8::1\r\n"));
}

TEST(offer_answer, both_sides_agree) {
  auto offer = make_offer("192.0.2.1", 40'000, {}, 1);
  auto got = answered(offer);
  ASSERT_TRUE(got) << got.error().to_string();
  expect_fits(offer, got->answer, "both");
  EXPECT_EQ(got->audio.audio.encoding, "PCMU");
  EXPECT_EQ(got->audio.send_payload_type, 0);
  EXPECT_EQ(got->audio.receive_payload_type, 0);
  EXPECT_EQ(got->audio.send_event_payload_type, 101);
  EXPECT_EQ(got->audio.remote_host, "192.0.2.1");
  EXPECT_EQ(got->audio.remote_port, 40'000);
  EXPECT_EQ(got->audio.remote_rtcp_host, "192.0.2.1");
  EXPECT_EQ(got->audio.remote_rtcp_port, 40'001);
  EXPECT_FALSE(got->audio.muxed);
  auto back = accept_answer(offer, got->answer);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(back->audio.encoding, "PCMU");
  EXPECT_EQ(back->receive_event_payload_type, 101);
  EXPECT_EQ(back->remote_host, our_host);
  EXPECT_EQ(back->remote_port, our_port);
  EXPECT_EQ(back->way, direction::sendrecv);
}

TEST(offer_answer, a_parameter_is_found_by_its_name) {
  EXPECT_EQ(parameter_of("minptime=10;usedtx=1", "usedtx"), "1");
  EXPECT_EQ(parameter_of("minptime=10 ; UseDTX = 0 ;x", "usedtx"), "0");
  EXPECT_EQ(parameter_of("usedtx=", "usedtx"), "");
  EXPECT_EQ(parameter_of("usedtx", "usedtx"), std::nullopt);
  EXPECT_EQ(parameter_of("xusedtx=1;usedtxx=1", "usedtx"), std::nullopt);
  EXPECT_EQ(parameter_of(";;=;", "usedtx"), std::nullopt);
  EXPECT_EQ(parameter_of("", "usedtx"), std::nullopt);
}

TEST(offer_answer, static_types_need_no_rtpmap) {
  auto offer = with_media("m=audio 9000 RTP/AVP 18 8 0\r\n");
  auto got = answered(offer);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->audio.audio.encoding, "PCMA");
  EXPECT_EQ(got->answer.media[0].formats, std::vector<std::string>{"8"});
  EXPECT_FALSE(got->audio.send_event_payload_type);
}

TEST(offer_answer, an_rtpmap_overrules_a_static_type) {
  auto offer = with_media("m=audio 9000 RTP/AVP 0 96\r\na=rtpmap:0 other/8000\r\n"
                          "a=rtpmap:96 pcmu/8000\r\n");
  auto got = answered(offer);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->audio.send_payload_type, 96);
}

TEST(offer_answer, the_answer_keeps_the_numbers_of_the_offer) {
  auto offer = with_media("m=audio 9000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/8000\r\n");
  auto got = answered(offer);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->answer.media[0].formats, (std::vector<std::string>{"8", "97"}));
  EXPECT_EQ(got->audio.receive_event_payload_type, 97);
}

TEST(offer_answer, payload_types_may_differ_by_direction) {
  media_capabilities with;
  with.codecs = {opus(111), telephone_event(110, 48'000), pcmu()};
  auto offer = make_offer("192.0.2.1", 40'000, with, 1);
  auto answer = with_media("m=audio 9000 RTP/AVP 96 97\r\na=rtpmap:96 OPUS/48000/2\r\n"
                           "a=fmtp:96 stereo=0\r\na=rtpmap:97 telephone-event/48000\r\n");
  auto got = accept_answer(offer, answer);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->send_payload_type, 96);
  EXPECT_EQ(got->receive_payload_type, 111);
  EXPECT_EQ(got->send_event_payload_type, 97);
  EXPECT_EQ(got->receive_event_payload_type, 110);
  EXPECT_EQ(got->audio.parameters, "stereo=0");
}

TEST(offer_answer, whoever_offered_hears_all_that_the_answer_lists) {
  media_capabilities with;
  with.codecs = {opus(111), g722(), pcmu(), pcma(), telephone_event(101)};
  const auto offer = make_offer("192.0.2.1", 40'000, with, 1);
  const auto heard = [&](const char* formats) {
    auto got = accept_answer(offer, with_media(std::string{"m=audio 9000 RTP/AVP "} + formats +
                                               "\r\nc=IN IP4 192.0.2.9\r\n"
                                               "a=rtpmap:111 opus/48000/2\r\n"));
    std::string names = got->audio.encoding;
    for (const auto& other : got->also_heard)
      names += " " + other.encoding + "/" + std::to_string(other.payload_type);
    return names;
  };
  EXPECT_EQ(heard("8 0 101"), "PCMA PCMU/0");
  EXPECT_EQ(heard("0 9 8"), "PCMU G722/9 PCMA/8");
  EXPECT_EQ(heard("0"), "PCMU");
  EXPECT_EQ(heard("0 3 18"), "PCMU") << "what was not offered is not heard";
  EXPECT_EQ(heard("111 0"), "opus") << "on another clock";
}

TEST(offer_answer, an_answer_without_rtpmap_means_ours) {
  media_capabilities with;
  with.codecs = {opus(111)};
  auto offer = make_offer("192.0.2.1", 40'000, with, 1);
  auto got = accept_answer(offer, with_media("m=audio 9000 RTP/AVP 111\r\n"));
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->audio.encoding, "opus");
}

TEST(offer_answer, events_run_on_the_clock_of_the_codec) {
  media_capabilities with;
  with.codecs = {opus(), telephone_event(101, 8'000)};
  auto offer = with_media("m=audio 9000 RTP/AVP 111 110 126\r\na=rtpmap:111 opus/48000/2\r\n"
                          "a=rtpmap:110 telephone-event/48000\r\n"
                          "a=rtpmap:126 telephone-event/8000\r\n");
  EXPECT_FALSE(answered(offer, with)->audio.send_event_payload_type);
  with.codecs.push_back(telephone_event(102, 48'000));
  EXPECT_EQ(answered(offer, with)->audio.send_event_payload_type, 110);
}

TEST(offer_answer, other_streams_are_refused_in_place) {
  auto offer = with_media("m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
                          "m=audio 9000 RTP/SAVP 0\r\n"
                          "m=audio 9002 RTP/AVP 0\r\na=mid:x\r\n"
                          "m=audio 9004 RTP/AVP 0\r\n"
                          "m=application 9006 DTLS/SCTP 5000\r\n");
  auto got = answered(offer);
  ASSERT_TRUE(got) << got.error().to_string();
  expect_fits(offer, got->answer, "others");
  EXPECT_EQ(got->audio.media_index, 2u);
  EXPECT_EQ(got->audio.remote_port, 9002);
  EXPECT_EQ(find<mid>(got->answer.media[2].attributes)->tag, "x");
  EXPECT_EQ(accept_answer(offer, got->answer)->media_index, 2u);
}

TEST(offer_answer, what_cannot_be_answered_is_an_error) {
  EXPECT_EQ(refusal(with_media("m=video 5000 RTP/AVP 96\r\n")),
            "sdp offer: no audio stream is offered");
  EXPECT_EQ(refusal(with_media("")), "sdp offer: no audio stream is offered");
  EXPECT_EQ(refusal(with_media("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n")),
            "sdp offer: the audio stream's profile is UDP/TLS/RTP/SAVPF, expected RTP/AVP");
  EXPECT_EQ(refusal(with_media("m=audio 0 RTP/AVP 0\r\n")),
            "sdp offer: the audio stream is disabled (port 0)");
  EXPECT_EQ(
    refusal(with_media("m=audio 9 RTP/AVP 18 101\r\na=rtpmap:101 telephone-event/8000\r\n")),
    "sdp offer: no codec in common for the audio stream");
  EXPECT_EQ(refusal(with_media("m=audio 9 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n")),
            "sdp offer multicast: the audio stream's address is not unicast");
  EXPECT_EQ(refusal(with_media("m=audio 9 RTP/AVP 0\r\nc=IN IP6 ff02::1\r\n")),
            "sdp offer multicast: the audio stream's address is not unicast");
  EXPECT_EQ(refusal(with_media("m=audio 9 RTP/AVP 0\r\nc=ATM NSAP 47\r\n")),
            "sdp offer network: the audio stream's network is ATM, expected IN");
  EXPECT_EQ(refusal(parsed("v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n")),
            "sdp offer: no c= line for the audio stream");
}

/// Audio to an address that cannot be used would be a call that nobody hears.
TEST(offer_answer, an_address_that_cannot_be_reached_is_an_error) {
  const auto refused_at = [](const std::string& where, std::string_view our) {
    const auto got = make_answer(with_media("m=audio 9000 RTP/AVP 0\r\nc=IN " + where + "\r\n"), {},
                                 our, our_port, 77);
    return got ? "" : got.error().to_string();
  };
  EXPECT_EQ(refused_at("IP7 192.0.2.9", our_host),
            "sdp offer address: the audio stream's address is of type IP7, expected IP4 or IP6");
  EXPECT_EQ(refused_at("IP4 phone.example.com", our_host),
            "sdp offer address: audio cannot be sent to phone.example.com, expected an address of "
            "IPv4");
  EXPECT_EQ(refused_at("IP6 2001:db8::1", our_host),
            "sdp offer address: audio cannot be sent to 2001:db8::1, expected an address of IPv4");
  EXPECT_EQ(refused_at("IP4 192.0.2.9", "2001:db8::7"),
            "sdp offer address: audio cannot be sent to 192.0.2.9, expected an address of IPv6");
  EXPECT_EQ(refused_at("IP6 2001:db8::1", "2001:db8::7"), "");
  EXPECT_EQ(refused_at("IP6 ::", our_host), "") << "nowhere: the peer holds";
  EXPECT_EQ(refused_at("IP4 phone.example.com\r\na=inactive", our_host), "") << "nothing is sent";
}

TEST(offer_answer, an_answer_from_where_we_cannot_send_is_an_error) {
  const auto offer = make_offer(our_host, 40'000, {}, 1);
  for (const auto* where : {"IP4 phone.example.com", "IP6 2001:db8::1", "IP7 192.0.2.9"}) {
    const auto got = accept_answer(
      offer, with_media(std::string{"m=audio 9000 RTP/AVP 0\r\nc=IN "} + where + "\r\n"));
    ASSERT_FALSE(got) << where;
    EXPECT_EQ(got.error().place, "sdp answer address") << where;
  }
}

TEST(offer_answer, whence_we_send_is_said_by_the_offers_c_line) {
  auto offer = make_offer(our_host, 40'000, {}, 1);
  offer.from.address = {"IN", "IP6", "2001:db8::7", ""}; // RFC 4566 section 5.2: names the session
  EXPECT_TRUE(accept_answer(offer, with_media("m=audio 9000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n")));
  offer.address = {"IN", "IP6", "2001:db8::7", ""};
  EXPECT_FALSE(
    accept_answer(offer, with_media("m=audio 9000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n")));
}

TEST(offer_answer, profiles_are_an_input) {
  media_capabilities with;
  with.profiles = {"RTP/AVPF", "RTP/AVP"};
  auto offer = with_media("m=audio 9 RTP/AVPF 0\r\n");
  EXPECT_EQ(answered(offer, with)->answer.media[0].profile, "RTP/AVPF");
  EXPECT_EQ(make_offer("192.0.2.1", 1, with, 1).media[0].profile, "RTP/AVPF");
}

TEST(offer_answer, an_answer_that_does_not_fit_is_an_error) {
  auto offer = make_offer("192.0.2.1", 40'000, {}, 1);
  auto refused = [&](const std::string& media) {
    auto got = accept_answer(offer, with_media(media));
    return got ? "accepted" : got.error().to_string();
  };
  EXPECT_EQ(refused(""), "sdp answer: 0 m-lines, expected 1 as in the offer");
  EXPECT_EQ(refused("m=audio 9 RTP/AVP 0\r\nm=video 0 RTP/AVP 96\r\n"),
            "sdp answer: 2 m-lines, expected 1 as in the offer");
  EXPECT_EQ(refused("m=video 9 RTP/AVP 0\r\n"), "sdp answer: m-line 1 is video, expected audio");
  EXPECT_EQ(refused("m=audio 0 RTP/AVP 0\r\n"), "sdp answer: every audio stream is refused");
  EXPECT_EQ(refused("m=audio 9 RTP/SAVP 0\r\n"),
            "sdp answer: the audio stream's profile is RTP/SAVP, expected RTP/AVP");
  EXPECT_EQ(refused("m=audio 9 RTP/AVP 18\r\n"),
            "sdp answer: no codec of the offer for the audio stream");
  EXPECT_EQ(refused("m=audio 9 RTP/AVP 101\r\n"),
            "sdp answer: no codec of the offer for the audio stream");
}

TEST(offer_answer, directions_meet) {
  const std::vector<direction> all{direction::sendrecv, direction::sendonly, direction::recvonly,
                                   direction::inactive};
  for (auto theirs : all) {
    for (auto ours : all) {
      media_capabilities offering;
      offering.wanted = theirs;
      media_capabilities with;
      with.wanted = ours;
      auto offer = make_offer("192.0.2.1", 40'000, offering, 1);
      auto got = answered(offer, with);
      ASSERT_TRUE(got);
      EXPECT_EQ(sends(got->audio.way), sends(ours) && receives(theirs));
      EXPECT_EQ(receives(got->audio.way), receives(ours) && sends(theirs));
      EXPECT_EQ(*find<direction>(got->answer.media[0].attributes), got->audio.way);
      EXPECT_EQ(accept_answer(offer, got->answer)->way, reversed(got->audio.way));
    }
  }
}

TEST(offer_answer, the_session_s_direction_holds_where_the_stream_has_none) {
  auto offer = parsed("v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                      "a=sendonly\r\nm=audio 9 RTP/AVP 0\r\n");
  EXPECT_EQ(answered(offer)->audio.way, direction::recvonly);
  offer.media[0].attributes.emplace_back(direction::sendrecv);
  EXPECT_EQ(answered(offer)->audio.way, direction::sendrecv);
}

TEST(offer_answer, an_unspecified_address_is_hold) {
  for (const char* line : {"c=IN IP4 0.0.0.0\r\n", "c=IN IP6 ::\r\n"}) {
    auto offer = with_media(std::string("m=audio 9 RTP/AVP 0\r\n") + line);
    auto got = answered(offer);
    ASSERT_TRUE(got) << got.error().to_string();
    EXPECT_EQ(got->audio.way, direction::recvonly);
    EXPECT_EQ(got->audio.remote_host, "");
    EXPECT_EQ(got->audio.remote_rtcp_port, 0);
    EXPECT_EQ(*find<direction>(got->answer.media[0].attributes), direction::recvonly);
  }
}

TEST(offer_answer, an_unspecified_address_is_no_hold_with_ice) {
  media_capabilities can;
  can.profiles = {"UDP/TLS/RTP/SAVPF"};
  can.protections = {protection::dtls};
  can.rtcp_mux = true;
  std::string print = "AB";
  for (int i = 1; i < 32; ++i)
    print += ":AB";
  const std::string secured = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\n"
                              "a=rtcp-mux\r\na=setup:actpass\r\na=fingerprint:sha-256 " +
                              print + "\r\n";
  const std::string ice = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
                          "a=candidate:1 1 udp 2122194687 f2ab4dd4.local 56796 typ host\r\n";
  auto got = answered(with_media(secured + ice), can);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->audio.way, direction::sendrecv);
  EXPECT_EQ(*find<direction>(got->answer.media[0].attributes), direction::sendrecv);
  // What the offer says in words counts all the same.
  got = answered(with_media(secured + ice + "a=sendonly\r\n"), can);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->audio.way, direction::recvonly);
}

TEST(offer_answer, hold_and_resume_are_new_offers) {
  auto first = make_offer("192.0.2.1", 40'000, {}, 5, 1);
  auto hold = make_reoffer(first, direction::sendonly);
  EXPECT_EQ(hold.from.session_id, 5u);
  EXPECT_EQ(hold.from.version, 2u);
  auto held = answered(hold);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->audio.way, direction::recvonly);
  EXPECT_EQ(accept_answer(hold, held->answer)->way, direction::sendonly);
  auto resume = make_reoffer(hold, direction::sendrecv);
  EXPECT_EQ(resume.from.version, 3u);
  EXPECT_EQ(answered(resume)->audio.way, direction::sendrecv);
  resume.from.version = first.from.version;
  EXPECT_EQ(resume, first);
}

TEST(offer_answer, a_reoffer_of_an_answer_leaves_refused_streams_refused) {
  auto offer = with_media("m=video 5000 RTP/AVP 96\r\nm=audio 9 RTP/AVP 0\r\n");
  auto next = make_reoffer(answered(offer)->answer, direction::inactive);
  EXPECT_EQ(next.media[0].port, 0);
  EXPECT_TRUE(next.media[0].attributes.empty());
  EXPECT_EQ(*find<direction>(next.media[1].attributes), direction::inactive);
}

TEST(offer_answer, rtcp_goes_where_the_other_side_says) {
  auto own = answered(with_media("m=audio 9000 RTP/AVP 0\r\na=rtcp:53020\r\n"));
  EXPECT_EQ(own->audio.remote_rtcp_port, 53'020);
  EXPECT_EQ(own->audio.remote_rtcp_host, "192.0.2.1");
  auto away = answered(with_media("m=audio 9000 RTP/AVP 0\r\na=rtcp:1 IN IP4 192.0.2.9\r\n"));
  EXPECT_EQ(away->audio.remote_rtcp_host, "192.0.2.9");
  auto multicast = answered(with_media("m=audio 9000 RTP/AVP 0\r\na=rtcp:1 IN IP4 224.0.0.1\r\n"));
  EXPECT_EQ(multicast->audio.remote_rtcp_host, "192.0.2.1");
  auto last = answered(with_media("m=audio 65535 RTP/AVP 0\r\n"));
  EXPECT_EQ(last->audio.remote_rtcp_port, 0);
  EXPECT_EQ(last->audio.remote_rtcp_host, "");
}

TEST(offer_answer, rtcp_shares_the_port_if_both_want_it) {
  media_capabilities mux;
  mux.rtcp_mux = true;
  auto offer = make_offer("192.0.2.1", 40'000, mux, 1);
  auto both = answered(offer, mux);
  EXPECT_TRUE(both->audio.muxed);
  EXPECT_EQ(both->audio.remote_rtcp_port, 40'000);
  EXPECT_TRUE(accept_answer(offer, both->answer)->muxed);
  auto one = answered(offer);
  EXPECT_FALSE(one->audio.muxed);
  EXPECT_EQ(find<rtcp_mux>(one->answer.media[0].attributes), nullptr);
  EXPECT_FALSE(accept_answer(offer, one->answer)->muxed);
}

TEST(offer_answer, packets_are_as_long_as_the_other_side_wants) {
  auto ms = [](const std::string& lines, std::uint8_t ours) {
    media_capabilities with;
    with.ptime_ms = ours;
    return answered(with_media("m=audio 9000 RTP/AVP 0\r\n" + lines), with)->audio.send_ptime_ms;
  };
  EXPECT_EQ(ms("", 20), 20);
  EXPECT_EQ(ms("", 30), 30);
  EXPECT_EQ(ms("a=ptime:40\r\n", 20), 40);
  EXPECT_EQ(ms("a=ptime:40\r\na=maxptime:30\r\n", 20), 30);
  EXPECT_EQ(ms("a=maxptime:10\r\n", 20), 10);
  EXPECT_EQ(ms("", 0), 10);
  EXPECT_EQ(ms("", 255), 120);
}

TEST(sec_03, packet_lengths_stay_within_bounds_where_the_sides_differ) {
  for (const char* value : {"0", "1", "65535", "65546", "4294967295", "4294967316", "0.125"}) {
    auto offer = with_media("m=audio 9000 RTP/AVP 0\r\na=ptime:" + std::string(value) +
                            "\r\na=maxptime:" + value + "\r\n");
    auto got = answered(offer);
    ASSERT_TRUE(got);
    EXPECT_GE(got->audio.send_ptime_ms, min_ptime_ms);
    EXPECT_LE(got->audio.send_ptime_ms, max_ptime_ms);
    EXPECT_EQ(accept_answer(offer, got->answer)->send_ptime_ms, 20);
  }
}

TEST(sec_03, numbers_that_no_parser_made_are_not_used_as_an_index) {
  auto offer = with_media("m=audio 9000 RTP/AVP 0\r\n");
  offer.media[0].formats = {"128", "4294967296", "", "x", "255", "0"};
  offer.media[0].attributes.emplace_back(rtpmap{255, "PCMA", 8000, 1});
  offer.media[0].attributes.emplace_back(fmtp{200, "x"});
  auto got = answered(offer);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->audio.send_payload_type, 0);
}

TEST(sec_03, every_description_is_answered_or_refused_in_every_role) {
  auto samples = tests::sdp_samples();
  samples.push_back({"g711", std::string(tests::g711_offer)});
  media_capabilities plain;
  media_capabilities all;
  all.codecs = {opus(), g722(), pcmu(), pcma(), telephone_event(), telephone_event(110, 48'000)};
  all.profiles = {"RTP/AVP", "RTP/SAVP", "RTP/AVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"};
  all.protections = {protection::dtls, protection::sdes, protection::none};
  all.suites = {"AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"};
  all.rtcp_mux = true;
  std::size_t accepted = 0;
  for (const auto& sample : samples) {
    auto theirs = parse(sample.text);
    ASSERT_TRUE(theirs) << sample.name;
    for (const auto* with : {&plain, &all}) {
      auto ours = make_offer(our_host, our_port, *with, 1);
      // As an offer, then as a re-offer that holds; our hold of what was answered.
      for (const auto& offer : {*theirs, make_reoffer(*theirs, direction::sendonly)}) {
        auto got = make_answer(offer, *with, our_host, our_port, 1);
        if (!got) {
          EXPECT_TRUE(got.error().place.starts_with("sdp offer")) << sample.name;
          EXPECT_FALSE(got.error().cause.empty()) << sample.name;
          continue;
        }
        ++accepted;
        expect_fits(offer, got->answer, sample.name);
        EXPECT_TRUE(accept_answer(offer, got->answer)) << sample.name;
        auto hold = make_reoffer(got->answer, direction::inactive);
        EXPECT_EQ(hold.from.version, got->answer.from.version + 1) << sample.name;
      }
      // As the answer to an offer of ours: the same in 18x, 200, ACK and PRACK.
      if (auto got = accept_answer(ours, *theirs); !got) {
        EXPECT_TRUE(got.error().place.starts_with("sdp answer")) << sample.name;
      }
    }
  }
  if (samples.size() == 1) {
    GTEST_SKIP() << "no test data: 0 descriptions of others, 1 of our own";
  }
  EXPECT_GT(accepted, 40u);
  std::cout << samples.size() << " descriptions, " << accepted << " answers\n";
}

TEST(offer_template, renders_what_an_offer_prints) {
  for (std::string_view host : {"127.0.0.1", "2001:db8::1", "media.example"}) {
    offer_template made(host, {});
    for (std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{123'456'789},
                             offer_template::max_session_id}) {
      for (std::uint16_t port :
           {offer_template::min_port, std::uint16_t{40'002}, offer_template::max_port}) {
        tests::guarded_bytes out(std::string(made.size(), 'x'));
        ASSERT_TRUE(made.render(port, id, out.writable()));
        EXPECT_EQ(out.view(), print(made.description(port, id)));
        auto read = parse(out.view());
        ASSERT_TRUE(read);
        EXPECT_EQ(*read, made.description(port, id));
      }
    }
  }
}

TEST(offer_template, refuses_what_does_not_fit) {
  offer_template made("127.0.0.1", {});
  std::string out(made.size(), 'x');
  EXPECT_FALSE(made.render(9'999, 0, out));
  EXPECT_FALSE(made.render(10'000, offer_template::max_session_id + 1, out));
  EXPECT_FALSE(made.render(10'000, 0, std::span(out).first(out.size() - 1)));
  EXPECT_EQ(out, std::string(made.size(), 'x'));
}

} // namespace
} // namespace jackfield::sdp
