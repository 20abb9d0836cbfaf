#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/sdp/negotiation.hpp"
#include "engine/sdp/offer_answer.hpp"

namespace {

using namespace jackfield::sdp;

constexpr std::array<std::string_view, 2> suites = {"AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"};

void require(bool holds, int line = __builtin_LINE()) {
  if (!holds) {
    std::cerr << "line " << line << " does not hold\n";
    std::abort();
  }
}

void check(const negotiated_audio& got) {
  require(got.send_payload_type <= max_payload_type);
  require(got.receive_payload_type <= max_payload_type);
  require(got.send_ptime_ms >= min_ptime_ms && got.send_ptime_ms <= max_ptime_ms);
  require(got.remote_port != 0);
  const auto dtx = parameter_of(got.audio.parameters, "usedtx");
  require(!dtx || dtx->size() < got.audio.parameters.size());
  require(!got.remote_host.empty() || !sends(got.way) || (got.remote && got.remote->ice));
}

void check(const session& offer, const session& answer) {
  require(answer.media.size() == offer.media.size());
  for (std::size_t i = 0; i < answer.media.size(); ++i) {
    const auto& offered = offer.media[i].formats;
    for (const auto& format : answer.media[i].formats) {
      require(std::find(offered.begin(), offered.end(), format) != offered.end());
    }
  }
  require(parse(print(answer)) == answer);
}

/// Ours, enough for whatever protection an offer gets.
std::shared_ptr<const stream_transport> transport_with(protection how) {
  stream_transport made;
  if (how == protection::sdes) {
    made.keys = {{1, std::string(suites[0]), "S0VZMQ=="}, {2, std::string(suites[1]), "S0VZMg=="}};
  } else if (how == protection::dtls) {
    made.fingerprints = {{"sha-256", "AB:CD"}};
    made.ice = ice_description{"abcd", "abcdefghijklmnopqrstuv", {}};
  }
  return std::make_shared<const stream_transport>(std::move(made));
}

/// Takes the text as an offer, holds, and takes it as the answer.
void negotiate(std::string_view text, const media_capabilities& with) {
  negotiation us(std::make_shared<const offer_template>("192.0.2.1", with), 20'000, 1);
  if (auto number = us.take_offer(text); number) {
    us.set_transport(transport_with(us.offered_protection()));
    auto made = us.answer(*number, direction::sendrecv);
    require(made.has_value() && parse(made->text).has_value());
    check(made->audio);
  }
  auto hold = us.offer(direction::sendonly);
  require(hold.has_value() && parse(hold->text).has_value());
  if (auto got = us.take_answer(hold->number, text); got) {
    check(*got);
    require(!receives(got->way));
  }
  require(us.current() == negotiation::state::stable);
}

} // namespace

/// Two descriptions, split at the first form feed, in every role that a peer can put them into.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto split = text.find('\f');
  auto first = parse(text.substr(0, split));
  if (!first) {
    return 0;
  }
  media_capabilities with;
  with.codecs = {opus(), g722(), pcmu(), pcma(), telephone_event(), telephone_event(110, 48'000)};
  with.profiles.push_back("UDP/TLS/RTP/SAVPF");
  with.protections = {protection::dtls, protection::sdes, protection::none};
  with.suites.assign(suites.begin(), suites.end());
  with.rtcp_mux = size % 2 == 0;
  negotiate(text.substr(0, split), with);
  for (const auto& offer : {*first, make_reoffer(*first, direction::sendonly)}) {
    if (auto got = make_answer(offer, with, "192.0.2.1", 20'000, 1); got) {
      check(got->audio);
      check(offer, got->answer);
      auto back = accept_answer(offer, got->answer);
      // An offer of the other family is answered where it says by ICE, or not at all, where to
      // send.
      require(back.has_value() || kind_of(got->audio.remote_host) != host_kind::ipv4);
      require(!back || back->way == reversed(got->audio.way) || got->audio.remote_host.empty());
    }
  }
  if (auto got = accept_answer(make_offer("192.0.2.1", 20'000, with, 1), *first); got) {
    check(*got);
  }
  if (split != std::string_view::npos) {
    if (auto second = parse(text.substr(split + 1)); second) {
      if (auto got = accept_answer(*first, *second); got) {
        check(*got);
      }
    }
  }
  return 0;
}
