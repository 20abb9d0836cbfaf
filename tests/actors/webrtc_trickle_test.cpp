#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/sdp/ice_fragment.hpp"
#include "engine/sdp/negotiation.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/webrtc_ends.hpp"

namespace jackfield {
namespace {

using testing::HasSubstr;
using testing::Not;

// -- between two streams ----------------------------------------------------------------

/// What B tells A comes in pieces.
class webrtc_trickle_test : public webrtc_streams {
protected:
  static sdp::ice_fragment fragment_of(const sdp::stream_transport& own, bool complete) {
    return {{{own.ice->ufrag, own.ice->pwd, {}, own.ice->candidates, complete}}};
  }
  [[nodiscard]] const sdp::stream_transport& own_of(const stream_end& end) const {
    return *end.heard().opened->transport;
  }
  static sdp::negotiated_audio without_candidates(sdp::negotiated_audio audio) {
    return changed(std::move(audio), [](auto& theirs) {
      theirs.ice->candidates.clear();
      theirs.ice->complete = false;
    });
  }
  void connect_a_without_candidates() {
    b_.tell(media_connect{agreed_with(a_, sdp::setup::active)});
    a_.tell(media_connect{without_candidates(agreed_with(b_, sdp::setup::passive))});
  }
  void expect_audio_of_10_s() {
    world_.pass(10s);
    EXPECT_GT(closed(a_).received.packets, 450U);
    EXPECT_GT(closed(b_).received.packets, 450U);
  }
};

TEST_F(webrtc_trickle_test, a_description_says_whether_all_was_gathered) {
  EXPECT_TRUE(own_of(a_).ice->trickles);
  EXPECT_TRUE(own_of(a_).ice->complete);
  webrtc_settings settings;
  settings.stun_server = lane::endpoint::parse("192.0.2.1", 3478).value();
  media_plane plane(world_.lane(), {*lane::endpoint::parse("10.1.0.3", 0), 10'000, 65'535,
                                    webrtc_services::make_simulated(settings).value()});
  stream_end end(world_.lane(), plane, make_path(plane, sdp::protection::dtls, true));
  world_.pass(40ms);
  ASSERT_TRUE(end.heard().opened);
  EXPECT_TRUE(own_of(end).ice->trickles);
  EXPECT_FALSE(own_of(end).ice->complete);
  closed(end);
}

TEST_F(webrtc_trickle_test, waits_for_candidates_and_works_by_those_that_come) {
  connect_a_without_candidates();
  world_.pass(20s);
  EXPECT_EQ(failed_at(a_), "has not failed");
  a_.tell(media_take_candidates{fragment_of(own_of(b_), false)});
  a_.tell(media_take_candidates{fragment_of(own_of(b_), true)}); // repeats, as each does
  expect_audio_of_10_s();
}

TEST_F(webrtc_trickle_test, candidates_of_another_generation_or_m_line_are_passed_over) {
  connect_a_without_candidates();
  world_.pass(1s);
  auto other = fragment_of(own_of(b_), true);
  other.streams[0].ufrag = "earlier";
  a_.tell(media_take_candidates{other});
  other = fragment_of(own_of(b_), true);
  other.streams[0].pwd = "notThePasswordThatBTold";
  a_.tell(media_take_candidates{other});
  world_.pass(1s);
  EXPECT_EQ(failed_at(a_), "has not failed");
  EXPECT_EQ(b_.heard().closed.size(), 0U);
  a_.tell(media_take_candidates{fragment_of(own_of(b_), true)});
  expect_audio_of_10_s();
}

TEST_F(webrtc_trickle_test, an_end_without_candidates_or_a_long_wait_ends_the_stream_by_name) {
  connect_a_without_candidates();
  auto none = fragment_of(own_of(b_), true);
  none.streams[0].candidates.clear();
  a_.tell(media_take_candidates{none});
  world_.pass(10ms);
  EXPECT_EQ(failed_at(a_), "ice checks");
  stream_end other(world_.lane(), site_a_.context.media, path_at(site_a_, true));
  world_.pass(10ms);
  other.tell(media_connect{without_candidates(agreed_with(b_, sdp::setup::passive))});
  world_.pass(39s);
  EXPECT_EQ(failed_at(other), "has not failed");
  world_.pass(1s);
  EXPECT_EQ(failed_at(other), "ice checks");
}

TEST_F(webrtc_trickle_test, what_comes_once_there_is_a_way_changes_nothing) {
  connect();
  world_.pass(1s);
  auto more = fragment_of(own_of(b_), true);
  more.streams[0].candidates = {"9 1 udp 99 10.1.0.66 9 typ host", "nonsense"};
  a_.tell(media_take_candidates{more});
  a_.tell(media_take_candidates{{{}}});
  expect_audio_of_10_s();
}

TEST_F(webrtc_trickle_test, a_restart_works_by_candidates_that_come_later) {
  connect();
  world_.pass(1s);
  a_.tell(media_restart{true});
  b_.tell(media_restart{false});
  world_.pass(10ms);
  const auto next_a = a_.heard().restarted.back().transport;
  const auto next_b = b_.heard().restarted.back().transport;
  auto audio = agreed_with(a_, sdp::setup::active);
  audio.remote = next_a;
  b_.tell(media_connect{without_candidates(audio)});
  audio = agreed_with(b_, sdp::setup::passive);
  audio.remote = next_b;
  a_.tell(media_connect{without_candidates(audio)});
  world_.pass(1s);
  a_.tell(media_take_candidates{fragment_of(own_of(b_), true)}); // of the first generation
  world_.pass(1s);
  a_.tell(media_take_candidates{fragment_of(*next_b, true)});
  b_.tell(media_take_candidates{fragment_of(*next_a, true)});
  world_.pass(3s);
  const auto outcome = closed(a_);
  EXPECT_EQ(outcome.took.restarts, 1U);
  EXPECT_EQ(outcome.received.lost, 0U);
  EXPECT_GT(outcome.received.packets, 290U);
}

// -- whole calls -------------------------------------------------------------------------

/// A site of ours, and somebody whose SIP a test writes and whose media is a stream of ours.
class webrtc_trickle_call : public testing::Test {
protected:
  static constexpr std::string_view claims = "Supported: trickle-ice\r\nRecv-Info: trickle-ice\r\n";

  webrtc_trickle_call()
      : world_(5), peer_site_(world_.add_site("10.0.0.3", transport::protocol::udp, {},
                                              simulated_services(false))),
        peer_(world_.lane(), "10.0.0.9") {}

  sim_site& add_ours(bool asks_a_server) {
    webrtc_settings settings;
    if (asks_a_server)
      settings.stun_server = lane::endpoint::parse("192.0.2.1", 3478).value();
    return world_.add_site("10.0.0.1", transport::protocol::udp, {},
                           webrtc_services::make_simulated(settings).value());
  }
  static sdp::media_capabilities capabilities(sdp::protection how) {
    sdp::media_capabilities can;
    can.wanted = sdp::direction::sendrecv;
    can.rtcp_mux = true;
    require_protection(can, how);
    return can;
  }
  /// Their stream, and what they can.
  void open_their_media(bool controlling) {
    media_ = std::make_unique<stream_end>(
      world_.lane(), peer_site_.context.media,
      make_path(peer_site_.context.media, sdp::protection::dtls, controlling));
    world_.pass(10ms);
    own_ = *media_->heard().opened->transport;
    theirs_.emplace(
      std::make_shared<const sdp::offer_template>(peer_site_.context.media.address().address(),
                                                  capabilities(sdp::protection::dtls)),
      media_->address().port(), 77);
  }
  /// Says nothing of where they hear.
  void keep_back_candidates() {
    auto shown = own_;
    shown.ice->candidates.clear();
    shown.ice->complete = false;
    theirs_->set_transport(std::make_shared<const sdp::stream_transport>(shown));
  }
  void show_all() { theirs_->set_transport(std::make_shared<const sdp::stream_transport>(own_)); }
  static std::string nowhere(std::string description) {
    const auto c = description.find("c=IN IP4 ") + 9;
    description.replace(c, description.find('\r', c) - c, "0.0.0.0");
    const auto m = description.find("m=audio ") + 8;
    description.replace(m, description.find(' ', m) - m, "9");
    return description;
  }
  static std::string body_of(const std::string& message) {
    return message.substr(message.find("\r\n\r\n") + 4);
  }
  /// A request of theirs with a body.
  std::string request(std::string_view method, int cseq, std::string_view type,
                      const std::string& body, std::string_view headers = {}) const {
    auto text = peer_.request(method, ours_, "b" + std::to_string(cseq), to_tag_, cseq,
                              std::string(headers) + "Content-Type: " + std::string(type) + "\r\n");
    const std::string_view none = "Content-Length: 0\r\n\r\n";
    text.replace(text.size() - none.size(), none.size(),
                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return text;
  }
  std::string info(int cseq, const std::string& body, std::string_view package = "trickle-ice",
                   std::string_view type = sdp::ice_fragment_type) const {
    return request("INFO", cseq, type, body,
                   "Info-Package: " + std::string(package) +
                     "\r\nContent-Disposition: Info-Package\r\n");
  }
  std::string fragment() const {
    return sdp::print_ice_fragment(
      {own_.ice->ufrag, own_.ice->pwd, {}, own_.ice->candidates, true});
  }
  void serve(sim_site& site) {
    ours_ = site.address;
    auto answers = answer_manner_of(site);
    add_audio(answers);
    answers.media = std::make_shared<const sdp::offer_template>(
      site.context.media.address().address(), capabilities(sdp::protection::dtls));
    world_.answer(site, answers);
  }
  /// They call us: the INVITE's offer has no candidates and no address.
  void be_called(std::string_view headers = claims) {
    open_their_media(true);
    keep_back_candidates();
    const auto offer = theirs_->offer(sdp::direction::sendrecv);
    ASSERT_TRUE(offer);
    peer_.send(ours_, request("INVITE", 1, "application/sdp", nowhere(offer->text), headers));
    world_.pass(200ms);
    const auto ok = peer_.last("SIP/2.0 200");
    ASSERT_THAT(ok, HasSubstr("INVITE")) << peer_.last("SIP/2.0");
    to_tag_ = tag_in(ok, "To");
    peer_.send(ours_, peer_.request("ACK", ours_, "ack", to_tag_));
    const auto agreed = theirs_->take_answer(offer->number, body_of(ok));
    ASSERT_TRUE(agreed) << agreed.error().to_string();
    media_->tell(media_connect{*agreed});
    world_.pass(100ms);
  }
  /// We call them; they answer with all of theirs.
  void call(sim_site& site, sdp::protection how, std::string_view headers) {
    ours_ = site.address;
    open_their_media(false);
    show_all();
    peer_.on_message = [this](const std::string& m) {
      if (m.starts_with("BYE ") || m.starts_with("INFO "))
        peer_.answer(m, info_status_);
    };
    auto manner =
      manner_between(site, transport::target{transport::protocol::udp, peer_.address()});
    add_audio(manner, site);
    manner.capabilities = capabilities(how);
    manner.offer = std::make_shared<const sdp::offer_template>(
      site.context.media.address().address(), manner.capabilities);
    world_.call(site, std::make_shared<const call_manner>(manner), target_of(peer_.address()), 4s);
    world_.pass(200ms);
    invite_ = peer_.last("INVITE ");
    if (how != sdp::protection::dtls)
      return;
    const auto number = theirs_->take_offer(body_of(invite_));
    ASSERT_TRUE(number) << number.error().to_string();
    const auto answer = theirs_->answer(*number, sdp::direction::sendrecv);
    ASSERT_TRUE(answer) << answer.error().to_string();
    peer_.answer(invite_, 200, headers, answer->text);
    media_->tell(media_connect{answer->audio});
    world_.pass(5s);
  }

  sim_world world_;
  sim_site& peer_site_;
  raw_peer peer_;
  std::unique_ptr<stream_end> media_;
  sdp::stream_transport own_;
  std::optional<sdp::negotiation> theirs_;
  lane::endpoint ours_;
  std::string to_tag_;
  std::string invite_;
  int info_status_ = 200;
};

TEST_F(webrtc_trickle_call, an_offer_without_candidates_works_by_those_that_come_in_info) {
  serve(add_ours(false));
  be_called();
  const auto ok = peer_.last("SIP/2.0 200");
  EXPECT_THAT(ok, HasSubstr("\r\nSupported: trickle-ice\r\n"));
  EXPECT_THAT(ok, HasSubstr("\r\nRecv-Info: trickle-ice\r\n"));
  EXPECT_THAT(ok, HasSubstr("\r\na=ice-options:trickle\r\n"));
  EXPECT_THAT(ok, HasSubstr("\r\na=end-of-candidates\r\n"));
  EXPECT_THAT(ok, HasSubstr("\r\na=sendrecv\r\n")) << "0.0.0.0 with ICE is no hold";
  world_.pass(5s);
  EXPECT_EQ(peer_.count("BYE "), 0U);
  peer_.send(ours_, info(2, fragment()));
  world_.pass(10s);
  EXPECT_THAT(peer_.last("SIP/2.0 200"), HasSubstr("2 INFO"));
  EXPECT_EQ(peer_.count("INFO "), 0U) << "all was told in the description";
  media_->tell(media_close{});
  world_.pass(10ms);
  EXPECT_GT(media_->heard().closed.at(0).outcome.received.packets, 450U);
}

TEST_F(webrtc_trickle_call, another_package_and_what_is_no_fragment_are_refused_truly) {
  serve(add_ours(false));
  be_called();
  peer_.send(ours_, info(2, "x", "foo", "text/plain"));
  world_.pass(100ms);
  EXPECT_THAT(peer_.last("SIP/2.0 469"), HasSubstr("\r\nRecv-Info: trickle-ice\r\n"));
  peer_.send(ours_, info(3, "x", "trickle-ice", "text/plain"));
  world_.pass(100ms);
  EXPECT_THAT(peer_.last("SIP/2.0 415"), HasSubstr("3 INFO"));
  peer_.send(ours_, info(4, "x"));
  world_.pass(100ms);
  EXPECT_THAT(peer_.last("SIP/2.0 400"), HasSubstr("4 INFO"));
  peer_.send(ours_, info(5, fragment()));
  world_.pass(5s);
  EXPECT_EQ(peer_.count("BYE "), 0U);
}

TEST_F(webrtc_trickle_call, what_servers_tell_late_goes_out_in_info_to_a_peer_that_takes_it) {
  call(add_ours(true), sdp::protection::dtls, claims);
  EXPECT_THAT(invite_, HasSubstr("\r\nSupported: trickle-ice\r\n"));
  EXPECT_THAT(invite_, HasSubstr("\r\nRecv-Info: trickle-ice\r\n"));
  EXPECT_THAT(invite_, HasSubstr("\r\na=ice-options:trickle\r\n"));
  EXPECT_THAT(invite_, Not(HasSubstr("a=end-of-candidates"))) << "a server has not answered";
  ASSERT_EQ(peer_.count("INFO "), 1U);
  const auto told = peer_.last("INFO ");
  EXPECT_THAT(told, HasSubstr("\r\nInfo-Package: trickle-ice\r\n"));
  EXPECT_THAT(told, HasSubstr("\r\nContent-Disposition: Info-Package\r\n"));
  EXPECT_THAT(told, HasSubstr("\r\nContent-Type: application/trickle-ice-sdpfrag\r\n"));
  const auto read = sdp::parse_ice_fragment(body_of(told));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_THAT(invite_, HasSubstr("a=ice-ufrag:" + read->streams[0].ufrag + "\r\n"));
  EXPECT_TRUE(read->streams[0].complete);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls[0].failure.failed());
}

TEST_F(webrtc_trickle_call, a_peer_that_does_not_say_so_is_sent_no_info) {
  call(add_ours(true), sdp::protection::dtls, "Supported: replaces\r\n");
  EXPECT_EQ(peer_.count("INFO "), 0U);
  ASSERT_EQ(world_.heard().calls.size(), 1U);
  EXPECT_FALSE(world_.heard().calls[0].failure.failed());
}

TEST_F(webrtc_trickle_call, a_called_peer_is_told_after_the_ack) {
  serve(add_ours(true));
  be_called();
  peer_.send(ours_, info(2, fragment()));
  world_.pass(2s);
  ASSERT_GE(peer_.count("INFO "), 1U);
  const auto read = sdp::parse_ice_fragment(body_of(peer_.last("INFO ")));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_TRUE(read->streams[0].complete);
}

TEST_F(webrtc_trickle_call, a_refused_info_is_not_followed_by_another_and_harms_nothing) {
  info_status_ = 469;
  call(add_ours(true), sdp::protection::dtls, claims);
  EXPECT_EQ(peer_.count("INFO "), 1U);
  EXPECT_EQ(peer_.count("BYE "), 1U);
}

TEST_F(webrtc_trickle_call, a_plain_call_claims_nothing_and_takes_no_candidates) {
  call(add_ours(true), sdp::protection::none, {});
  EXPECT_THAT(invite_, Not(HasSubstr("trickle")));
  EXPECT_THAT(invite_, Not(HasSubstr("Recv-Info")));
}

} // namespace
} // namespace jackfield
