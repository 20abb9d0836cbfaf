#include "engine/sdp/negotiation.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace jackfield::sdp {

namespace {

constexpr const char* offer_place = "sdp offer";
constexpr const char* answer_place = "sdp answer";

/// Parses, with the side that the text plays as the error's place.
result<session> read(std::string_view text, const char* place) {
  auto made = parse(text);
  if (!made) {
    return fail(place, made.error().to_string());
  }
  return made;
}

/// 0 where there is no ICE.
std::size_t ice_digest(const negotiated_audio& audio) {
  if (!audio.remote || !audio.remote->ice) {
    return 0;
  }
  return std::hash<std::string>{}(audio.remote->ice->ufrag + ' ' + audio.remote->ice->pwd);
}

} // namespace

struct negotiation::exchange {
  session offer;           ///< remote_offer only
  session answer;          ///< remote_offer only; port and direction are set when it is made
  negotiated_audio audio;  ///< remote_offer: the direction is all that the offer allows
  media_layout_ptr layout; ///< remote_offer only: the session's from the answer on
};

negotiation::negotiation(std::shared_ptr<const offer_template> local, std::uint16_t port,
                         std::uint64_t session_id) noexcept
    : local_(std::move(local)), session_id_(session_id % (offer_template::max_session_id + 1)),
      port_(port) {
  // nop
}

std::optional<negotiation_record> negotiation::record() const {
  if (!agreed_) {
    return std::nullopt;
  }
  return negotiation_record{version_,      way_,  held_,
                            protected_by_, role_, layout_ ? std::optional(*layout_) : std::nullopt};
}

result<void> negotiation::take_up(const negotiation_record& kept) {
  const auto& ours = local_->capabilities().codecs;
  if (kept.layout) {
    if (kept.layout->payload_types.size() != ours.size()) {
      return fail("sdp", std::to_string(kept.layout->payload_types.size()) +
                           " codecs were numbered, expected ours, which are " +
                           std::to_string(ours.size()));
    }
    layout_ = std::make_shared<const media_layout>(*kept.layout);
  }
  version_ = kept.version;
  digest_ = 0;
  agreed_ = true;
  way_ = kept.way;
  held_ = kept.held;
  protected_by_ = kept.protected_by;
  lost_ice_ = kept.protected_by == protection::dtls;
  role_ = kept.role;
  return {};
}

result<made_offer> negotiation::offer(direction wanted, bool asked_for) {
  if (state_ != state::stable) {
    return fail(offer_place, "offer " + std::to_string(number_) +
                               (state_ == state::local_offer ? " of ours" : " of the peer's") +
                               " is open, expected none");
  }
  if (port_ == 0) {
    return fail(offer_place, "no local port to offer");
  }
  offered_ = wanted;
  if (asked_for) {
    digest_ = 0;
  }
  auto text = stamped(offer_text(wanted));
  return made_offer{open(state::local_offer), std::move(text)};
}

result<negotiated_audio> negotiation::preview(std::uint32_t number, std::string_view text) {
  if (state_ != state::local_offer || number != number_) {
    return fail(answer_place, not_open(number));
  }
  auto audio = judged(text);
  if (audio) {
    exchange_ = std::make_shared<exchange>(exchange{{}, {}, *audio, nullptr});
  }
  return audio;
}

result<negotiated_audio> negotiation::take_answer(std::uint32_t number, std::string_view text) {
  if (state_ != state::local_offer || number != number_) {
    return fail(answer_place, not_open(number));
  }
  auto audio =
    text.empty() && exchange_ ? result<negotiated_audio>(exchange_->audio) : judged(text);
  rollback();
  if (audio) {
    // An answer to an offer that doesn't send cannot show whether the peer would receive.
    agree(*audio, sends(offered_) ? !sends(audio->way) : held_);
  }
  return audio;
}

result<std::uint32_t> negotiation::take_offer(std::string_view text) {
  if (state_ != state::stable) {
    return fail(offer_place,
                std::string(state_ == state::local_offer ? "an offer of ours" : "another offer") +
                  " is open (" + std::to_string(number_) + ')');
  }
  auto offer = read(text, offer_place);
  if (!offer) {
    return tl::unexpected(std::move(offer.error()));
  }
  auto opened = answer_to(std::move(*offer));
  if (!opened) {
    return tl::unexpected(std::move(opened.error()));
  }
  exchange_ = std::move(*opened);
  return open(state::remote_offer);
}

/// What is to be answered, as far as the offer says it.
result<std::shared_ptr<negotiation::exchange>> negotiation::answer_to(session offer) const {
  settled_terms settled;
  if (agreed_) {
    settled.protected_by = protected_by_;
    settled.role = role_;
  }
  auto made = make_answer(offer, local_->capabilities(), direction::sendrecv, local_->host(), port_,
                          offer_template::session_id_base + session_id_, 1, settled);
  if (!made) {
    return tl::unexpected(std::move(made.error()));
  }
  auto opened = std::make_shared<exchange>();
  opened->answer = std::move(made->answer);
  opened->audio = std::move(made->audio);
  opened->layout = layout_after(offer, opened->audio.media_index, local_->capabilities(), layout_);
  opened->offer = std::move(offer);
  return opened;
}

direction negotiation::offered_way() const noexcept {
  return state_ == state::remote_offer ? exchange_->audio.way : direction::inactive;
}

protection negotiation::offered_protection() const noexcept {
  return state_ == state::remote_offer ? exchange_->audio.protected_by : protection::none;
}

std::vector<codec> negotiation::offered_codecs() const {
  std::vector<codec> made;
  if (state_ != state::remote_offer) {
    return made;
  }
  const auto& ours = local_->capabilities().codecs;
  for (const auto& theirs : codecs_of(exchange_->offer.media[exchange_->audio.media_index])) {
    const auto own = std::find_if(ours.begin(), ours.end(),
                                  [&](const codec& each) { return same_encoding(each, theirs); });
    if (own != ours.end()) {
      made.push_back(*own);
    }
  }
  return made;
}

result<void> negotiation::narrow(std::shared_ptr<const offer_template> local) {
  if (state_ == state::local_offer) {
    return fail(offer_place, "offer " + std::to_string(number_) + " of ours is open");
  }
  std::swap(local_, local);
  if (state_ == state::stable) {
    return {};
  }
  auto again = answer_to(exchange_->offer);
  if (!again) {
    local_ = std::move(local);
    return tl::unexpected(std::move(again.error()));
  }
  exchange_ = std::move(*again);
  return {};
}

bool negotiation::offers_ice_restart() const noexcept {
  return state_ == state::remote_offer && peer_ice_ != 0 &&
         ice_digest(exchange_->audio) != peer_ice_;
}

bool negotiation::controls_ice() const noexcept {
  if (state_ != state::remote_offer) {
    return true;
  }
  const auto& remote = exchange_->audio.remote;
  return remote && remote->ice && remote->ice->lite;
}

result<made_answer> negotiation::early_answer(std::uint32_t number, direction wanted) {
  if (state_ != state::remote_offer || number != number_) {
    return fail(answer_place, not_open(number));
  }
  if (port_ == 0) {
    return fail(answer_place, "no local port to answer with");
  }
  if (exchange_.use_count() > 1) { // a copy of this negotiation has it too
    exchange_ = std::make_shared<exchange>(*exchange_);
  }
  made_answer made;
  made.audio = exchange_->audio;
  made.audio.way = common(made.audio.way, wanted);
  auto& media = exchange_->answer.media[made.audio.media_index];
  media.port = port_;
  set_direction(media, made.audio.way);
  if (made.audio.protected_by == protection::none) {
    made.text = stamped(print(exchange_->answer));
    return made;
  }
  auto whole = exchange_->answer;
  if (auto added = add_own_transport(whole, made.audio, transport_.get()); !added) {
    return tl::unexpected(std::move(added.error()));
  }
  made.text = stamped(print(whole));
  return made;
}

result<made_answer> negotiation::answer(std::uint32_t number, direction wanted) {
  auto made = early_answer(number, wanted);
  if (made) {
    agree(made->audio, !sends(exchange_->audio.way));
    layout_ = std::move(exchange_->layout);
    rollback();
  }
  return made;
}

result<void> negotiation::refuse(std::uint32_t number) {
  if (state_ == state::stable || number != number_) {
    return fail(offer_place, not_open(number));
  }
  rollback();
  return {};
}

void negotiation::rollback() noexcept {
  state_ = state::stable;
  exchange_ = nullptr;
}

std::uint32_t negotiation::open(state next) noexcept {
  state_ = next;
  if (++number_ == 0) {
    number_ = 1;
  }
  return number_;
}

std::string negotiation::not_open(std::uint32_t number) const {
  auto made = "offer " + std::to_string(number);
  if (state_ == state::stable) {
    return made + " is not open";
  }
  if (number != number_) {
    return made + " is not open, " + std::to_string(number_) + " is";
  }
  return made + (state_ == state::local_offer ? " is ours" : " is the peer's");
}

std::string negotiation::offer_text(direction wanted) const {
  const bool appendable = !transport_ || is_appendable(*transport_);
  if (!layout_ && appendable && wanted == local_->capabilities().wanted) {
    std::string text(local_->size(), '\0');
    if (local_->render(port_, session_id_, text)) {
      if (transport_) {
        print_transport(*transport_, text);
      }
      return text;
    }
  }
  auto made = layout_ ? shape_of(*layout_, *local_) : local_->shape();
  made.from.session_id = offer_template::session_id_base + session_id_;
  auto& media = made.media[layout_ ? layout_->audio : 0];
  media.port = port_;
  set_direction(media, wanted);
  if (transport_) {
    add_transport(made, media, *transport_);
  }
  return print(made);
}

/// Gives a description of ours that was printed as version 1 the version that it has to have.
std::string negotiation::stamped(std::string text) {
  const auto at = text.find(' ', text.find(' ') + 1) + 1; // o=<user> <session id> <version>
  const auto digest = std::hash<std::string_view>{}(std::string_view(text).substr(at + 1));
  if (version_ == 0 || digest != digest_) {
    ++version_;
    digest_ = digest;
  }
  if (version_ != 1) {
    text.replace(at, 1, std::to_string(version_));
  }
  return text;
}

/// Judges an answer to our open offer.
result<negotiated_audio> negotiation::judged(std::string_view text) const {
  if (text.empty()) {
    return fail(answer_place,
                "no description, expected an answer to offer " + std::to_string(number_));
  }
  auto made = read(text, answer_place).and_then([&](const session& answer) {
    return layout_ ? accept_answer(shape_of(*layout_, *local_), answer, transport_.get())
                   : accept_answer(local_->shape(), answer, transport_.get());
  });
  if (made) {
    made->way = common(made->way, offered_);
  }
  return made;
}

void negotiation::agree(const negotiated_audio& audio, bool held) noexcept {
  agreed_ = true;
  way_ = audio.way;
  protected_by_ = audio.protected_by;
  peer_ice_ = ice_digest(audio);
  lost_ice_ = false;
  role_ = audio.role;
  held_ = held;
}

} // namespace jackfield::sdp
