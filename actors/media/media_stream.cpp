#include "actors/media/media_stream.hpp"

#include <algorithm>
#include <utility>

#include <caf/behavior.hpp>

#include "actors/media/media_codecs.hpp"
#include "actors/media/plain_path.hpp"
#include "engine/rtp/telephone_event.hpp"
#include "engine/sdp/offer_answer.hpp"

namespace jackfield {

/// To a stream, by itself: its path failed.
struct media_path_lost {
  error why;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::media_path_lost)

namespace jackfield {

namespace {

/// How often a socket is emptied before it is known who is heard.
constexpr std::chrono::milliseconds idle_period{20};

/// A peer that was to send and has not for so long has stopped: a talker's pause is sent, too.
constexpr std::chrono::seconds longest_pause{2};

/// ITU-T Q.24: what a receiver of digits must take.
constexpr std::chrono::milliseconds shortest_event{40};

rtp::stream_mode mode_of(audio_mode mode) {
  switch (mode) {
  case audio_mode::echo:
    return rtp::stream_mode::echo;
  case audio_mode::listen:
    return rtp::stream_mode::listen;
  default:
    return rtp::stream_mode::play;
  }
}

rtp::stream_identity identity_on(lane::lane& home, const media_plane& plane) {
  const auto random = home.random();
  return {static_cast<uint32_t>(random), static_cast<uint16_t>(random >> 32U),
          static_cast<uint32_t>(home.random()), plane.cname(), plane.clock()};
}

lane::endpoint destination(const std::string& host, uint16_t port) {
  // A name is none: media addresses are numbers here.
  const auto parsed = lane::endpoint::parse(host, port);
  return parsed && !parsed->is_forbidden_destination() ? *parsed : lane::endpoint{};
}

} // namespace

media_stream::media_stream(caf::actor_config& config, lane::lane& home, media_plane& plane,
                           std::shared_ptr<const audio_settings> settings,
                           caf::strong_actor_ptr owner, std::unique_ptr<media_path> path)
    : lane::lane_actor(config, home), plane_(plane),
      path_(path ? std::move(path) : std::make_unique<plain_path>(plane)),
      settings_(std::move(settings)),
      tick_([](void* self) { static_cast<media_stream*>(self)->send_what_is_due(); }, this),
      stream_(identity_on(home, plane), mode_of(settings_->mode)), owner_(std::move(owner)),
      listener_(settings_->listens ? std::make_unique<sound_listener>() : nullptr) {
  // nop
}

media_stream::~media_stream() {
  end_join(media_parted::cause::other_ended, false);
}

caf::behavior media_stream::make_behavior() {
  path_->read_at_once(is_woken_by_packets());
  path_->open(*this);
  return {
    [this](const media_connect& how) { connect(how); },
    [this](const media_confirmed&) { confirm(); },
    [this](const media_dial& how) { dial(how.digits, how.by); },
    [this](const media_restart& how) { restart(how); },
    [this](const media_take_candidates& what) { path_->take_candidates(what.told); },
    [this](const media_tell_candidates&) { tell_candidates(); },
    [this](const media_tap& what) { taps_.push_back(what.by); },
    [this](const media_play& how) { play(how); },
    [this](const media_mix& how) { return mix(how); },
    [this](const media_stop&) { stop(); },
    [this](const media_join& with) { return join(with); },
    [this](const media_part&) { return part(); },
    [this](const media_close&) { close(std::nullopt); },
    [this](const media_path_lost& lost) { close(lost.why); },
  };
}

void media_stream::on_exit() {
  tick_.cancel();
  end_join(media_parted::cause::other_ended, false);
  // An exit message or an exception: the owner must not wait for ever.
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell_from(*this, owner,
                    media_closed{outcome(), error{"media stream", "ended by an error within"}});
  restarter_ = trickler_ = nullptr;
  taps_.clear();
  mixed_.reset();
  path_.reset();
}

media_outcome media_stream::outcome() const {
  const auto unheard = std::max(stopped_for_, silence(home().now()));
  media_outcome made{stream_.outcome(unheard), path_->counted(), path_->protected_by(),
                     path_->took(), transcoded_};
  made.stopped_for = unheard;
  made.digits_not_taken = digits_not_taken_;
  made.digits_sent += digits_in_audio_sent_;
  if (listener_) {
    auto heard = std::make_shared<audio::heard_sounds>(listener_->found());
    made.missed = settings_->expects && !settings_->expects->met_by(*heard);
    made.heard = std::move(heard);
  }
  return made;
}

// -- the path --------------------------------------------------------------------

void media_stream::on_path_opened(const lane::endpoint& local,
                                  std::shared_ptr<const sdp::stream_transport> transport) {
  opened_ = true;
  // What comes before the peer's description does is taken off the socket all the same.
  if (!is_woken_by_packets())
    home().arm(tick_, home().now() + plane_.next_phase(idle_period));
  if (owner_)
    lane::tell_from(*this, owner_, media_opened{local, std::move(transport)});
}

void media_stream::restart(const media_restart& how) {
  restarter_ = current_sender();
  if (!opened_ || !path_->restart(how.controlling))
    on_path_restarted(fail("ice restart", "not now, expected a WebRTC stream that is connected"),
                      nullptr);
}

void media_stream::on_path_restarted(
  const result<lane::endpoint>& local,
  const std::shared_ptr<const sdp::stream_transport>& transport) {
  if (const auto asker = std::exchange(restarter_, nullptr))
    lane::tell_from(*this, asker, media_restarted{local, transport});
}

void media_stream::tell_candidates() {
  trickler_ = current_sender();
  on_path_candidates();
}

void media_stream::on_path_candidates() {
  if (!trickler_)
    return;
  if (auto told = path_->later_candidates())
    lane::tell_from(*this, trickler_, media_candidates{std::move(*told)});
}

void media_stream::on_path_failed(const error& why) {
  if (!owner_)
    return;
  if (!opened_)
    lane::tell_from(*this, owner_, media_opened{tl::unexpected{why}, nullptr});
  else // by message: an actor ends in its own turn
    lane::tell(home(), caf::strong_actor_ptr{ctrl()}, media_path_lost{why});
}

void media_stream::connect(const media_connect& how) {
  if (!opened_)
    return;
  const auto& audio = how.audio;
  const auto codec = codec_of(audio.audio);
  const auto number = static_cast<uint8_t>(codec); // what formats tell codecs apart by
  setup_.send = {{audio.send_payload_type, number}};
  setup_.receive = {{audio.receive_payload_type, number}};
  for (const auto& other : audio.also_heard)
    (void)setup_.receive.add({other.payload_type, static_cast<uint8_t>(codec_of(other))});
  setup_.send_event_type = audio.send_event_payload_type;
  setup_.receive_event_type = audio.receive_event_payload_type;
  setup_.clock_rate = audio.audio.clock_rate;
  setup_.judged_as = &impairment_of(codec);
  setup_.repeats = repetition_of(codec);
  setup_.packet_time = std::chrono::milliseconds{audio.send_ptime_ms};
  setup_.sends = sdp::sends(audio.way);
  if (!stream_.connected())
    setup_.phase = plane_.next_phase(setup_.packet_time);
  opus_ = opus_for(audio.audio, settings_->opus);
  if (setup_.sends && settings_->mode == audio_mode::play)
    source_ = find_source();
  media_remote remote;
  remote.rtp = destination(audio.remote_host, audio.remote_port);
  remote.muxed = audio.muxed;
  if (!audio.muxed)
    remote.rtcp = destination(audio.remote_rtcp_host, audio.remote_rtcp_port);
  remote.transport = audio.remote;
  remote.role = audio.role;
  // Who holds the call may send music, or nothing.
  const bool expects = audio.way == sdp::direction::sendrecv && remote.rtp.valid();
  if (expects && !expects_)
    silent_since_ = home().now();
  expects_ = expects;
  if (how.unconfirmed && credit_until_ == lane::time_point::max())
    credit_until_ = home().now() + credit;
  path_->connect(remote);
}

void media_stream::confirm() {
  credit_until_ = lane::time_point::max();
  if (std::exchange(withheld_, false))
    agree();
}

void media_stream::agree() {
  auto setup = setup_;
  setup.sends = setup.sends && can_send_ && !withheld_;
  stream_.connect(setup, home().now());
}

void media_stream::watch(lane::time_point now) {
  if (now >= credit_until_) {
    credit_until_ = lane::time_point::max();
    if (heard_ == lane::time_point{}) {
      withheld_ = true;
      agree();
    }
  }
  if (!expects_)
    return;
  const bool heard = heard_ != lane::time_point{};
  const auto limit = heard ? settings_->silence_limit : settings_->unheard_limit;
  if (limit == lane::duration::zero() || now - std::max(heard_, silent_since_) <= limit)
    return;
  silent_since_ = now;
  expects_ = !heard;
  if (owner_)
    lane::tell_from(*this, owner_, media_silent{heard});
}

void media_stream::on_path_connected(bool can_send) {
  can_send_ = can_send;
  agree();
  if (joined_ != nullptr && !(match(*joined_) && joined_->match(*this)))
    end_join(media_parted::cause::other_codec, true);
  if (mixed_ && mixed_->agreed() != mixing_terms() && !mixed_->change(mixing_terms(), opus_)) {
    mixed_.reset(); // packets of a length that nothing can be made of
    set_mode();
  }
  if (!digits_.empty())
    dial(std::exchange(digits_, {}), dial_by_);
  schedule();
}

void media_stream::on_path_packet(std::span<const std::byte> bytes, lane::time_point arrived) {
  heard_ = arrived;
  if (withheld_) [[unlikely]]
    confirm();
  stream_.on_datagram(bytes, arrived, *this);
  tell_plane();
}

void media_stream::tell_plane() {
  const auto& heard = stream_.heard();
  if (heard.packets() == heard_tally_.received) // RTCP, or nothing of its own
    tell_reported();
  else
    tell_heard(heard.may_come());
}

void media_stream::tell_heard(uint64_t may_come) {
  const auto& heard = stream_.heard();
  const media_plane::tally now{
    heard.expected() - may_come, heard.packets(), heard.lost() - may_come,
    heard.jitter_sum() * 1'000'000 / setup_.clock_rate, heard.jitter_count()};
  plane_.note_heard(std::exchange(heard_tally_, now), now);
}

void media_stream::tell_reported() {
  const auto remote = stream_.rtcp().remote_report();
  const auto sent = stream_.sent().packets();
  if (!remote || sent == 0)
    return;
  const auto lost = std::min(static_cast<uint64_t>(std::max(0, remote->cumulative_lost)), sent);
  const media_plane::tally now{sent, sent - lost, lost, 0, 0};
  plane_.note_reported(std::exchange(reported_tally_, now), now);
}

lane::duration media_stream::silence(lane::time_point now) const noexcept {
  const auto last = stream_.heard().last_packet();
  if (!expects_ || !last || !stream_.ends_in_audio() || now - *last < longest_pause)
    return {};
  return now - *last;
}

// -- what is sent and heard --------------------------------------------------------

void media_stream::send_what_is_due() {
  const auto now = home().exact_now();
  stream_.tick(now, *this);
  watch(now);
  path_->read_soon();
  schedule();
}

// Read once a frame it ticks in every state; woken by packets, only where there is something to do.
void media_stream::schedule() {
  if (!is_woken_by_packets()) {
    home().arm(tick_, stream_.connected() ? stream_.next_frame() : home().now() + idle_period);
    return;
  }
  if (const auto next = stream_.deadline(); next == lane::time_point::max())
    tick_.cancel();
  else
    home().arm(tick_, next);
}

void media_stream::send_rtp(std::span<const std::byte> packet) {
  plane_.note_sent();
  path_->send_rtp(packet);
}

void media_stream::send_rtcp(std::span<const std::byte> packet) {
  path_->send_rtcp(packet);
}

std::span<const std::byte> media_stream::next_frame() {
  if (mixed_)
    return mixed_->next_frame(home().exact_now());
  if (made_)
    return made_->next_frame(home().exact_now());
  if (!source_)
    return {};
  if (!digits_in_audio_.empty()) [[unlikely]]
    return next_of_digit();
  if (prompt_ && frame_ >= source_->frame_count()) [[unlikely]]
    end_prompt();
  if (!source_)
    return {};
  const auto frame = source_->frame(frame_++);
  if (frame.empty())
    plane_.note_dtx_frame();
  return frame;
}

std::span<const std::byte> media_stream::next_of_digit() {
  const auto digit = settings_->cache
                       ->get(audio::source_spec::digit(digits_in_audio_.front()),
                             source_->encoding(), source_->packet_time(), settings_->opus)
                       .value_or(nullptr);
  if (!digit) { // they are checked where the user gave them
    digits_not_taken_ += digits_in_audio_.size();
    digits_in_audio_.clear();
    return source_->frame(frame_++);
  }
  const auto frame = digit->frame(digit_frame_);
  if (++digit_frame_ == digit->frame_count()) {
    digit_frame_ = 0;
    digits_in_audio_.erase(0, 1);
    ++digits_in_audio_sent_;
  }
  return frame;
}

void media_stream::note_lateness(lane::duration lateness) {
  plane_.note_lateness(lateness);
}

void media_stream::on_heard(const rtp::heard_packet& packet) {
  if (listener_)
    listener_->on_heard(packet);
  if (!taps_.empty())
    std::erase_if(taps_, [&](const auto& each) { return !each->on_heard(packet); });
  if (joined_ == nullptr || joined_->mixed_)
    return;
  if (joined_->made_)
    joined_->made_->on_heard(packet);
  else
    joined_->stream_.relay(packet, *joined_);
}

// An event's end may have to be found by the time.
void media_stream::on_event_started(uint8_t /*event*/, lane::time_point /*at*/) {
  if (is_woken_by_packets())
    schedule();
}

// Its packets cannot pass between clocks: the other side dials it, as long as it was.
void media_stream::on_event_ended(uint8_t event, lane::duration length, lane::time_point /*at*/) {
  if (const auto key = tells_keys_ ? rtp::digit_of_event(event) : std::nullopt; key && owner_)
    lane::tell_from(*this, owner_, media_key{*key});
  if (joined_ == nullptr || !(joined_->made_ || joined_->mixed_))
    return;
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(length);
  // A peer that takes none gets none.
  (void)joined_->stream_.dial_event(event, std::max(whole, shortest_event), home().now());
  joined_->schedule();
}

// -- commands ------------------------------------------------------------------------

void media_stream::dial(const std::string& wanted, media_dial::way by) {
  if (!stream_.connected()) {
    digits_ += wanted; // no more than one call's, which are bounded
    dial_by_ = by;
    return;
  }
  using way = media_dial::way;
  if (by == way::audio || (by == way::either && !setup_.send_event_type)) {
    if (source_) // else there is no audio that they could be in
      digits_in_audio_ += wanted;
    else
      digits_not_taken_ += wanted.size();
    return;
  }
  if (!setup_.send_event_type)
    digits_not_taken_ += wanted.size();
  // Digits are checked where the user gave them.
  (void)stream_.dial(wanted, home().now());
  schedule();
}

std::shared_ptr<const audio::encoded_source> media_stream::find_source() const {
  return settings_->cache
    ->get(settings_->source, static_cast<audio::codec>(setup_.send.front().codec),
          setup_.packet_time, opus_)
    .value_or(nullptr);
}

void media_stream::play(const media_play& how) {
  tells_keys_ = how.tells_keys;
  if (!how.what)
    return;
  auto made = std::make_shared<audio_settings>(*settings_);
  made->mode = audio_mode::play;
  made->source = how.what->source;
  made->cache = how.what->cache;
  settings_ = std::move(made);
  frame_ = 0;
  prompt_ = how.once ? std::optional{how.number} : std::nullopt;
  if (!setup_.send.empty())
    source_ = find_source();
  if (joined_ == nullptr && opened_)
    set_mode();
}

void media_stream::end_prompt() {
  const auto number = *std::exchange(prompt_, std::nullopt);
  auto silent = std::make_shared<audio_settings>(*settings_);
  silent->source = audio::source_spec::silence();
  settings_ = std::move(silent);
  frame_ = 0;
  source_ = find_source();
  if (owner_)
    lane::tell_from(*this, owner_, media_played{number});
}

void media_stream::stop() {
  stopped_for_ = std::max(stopped_for_, silence(home().now()));
  expects_ = false; // the peer may know that the call is over
  stream_.stop(home().now(), *this);
  if (stream_.connected())
    schedule(); // read once a frame it goes on: what is still on its way is heard
}

void media_stream::close(std::optional<error> failure) {
  path_->read_rest();
  if (stream_.connected())
    tell_heard(0);
  tell_reported();
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell_from(*this, owner, media_closed{outcome(), std::move(failure)});
  quit();
}

// -- two as one ------------------------------------------------------------------------

transcoding::terms media_stream::terms_with(const media_stream& other) const noexcept {
  return {static_cast<audio::codec>(other.setup_.receive.front().codec),
          static_cast<audio::codec>(setup_.send.front().codec), setup_.packet_time};
}

result<std::unique_ptr<transcoding>> media_stream::made_of(const media_stream& other) const {
  const auto wanted = terms_with(other);
  if (wanted.from == wanted.to)
    return nullptr;
  return transcoding::make(wanted, settings_->opus);
}

void media_stream::pass_on(std::unique_ptr<transcoding> made) {
  made_ = std::move(made);
  transcoded_ = transcoded_ || made_ != nullptr;
  set_mode();
}

void media_stream::set_mode() {
  using mode = rtp::stream_mode;
  const bool relays = joined_ != nullptr && !made_ && !mixed_;
  const bool plays = mixed_ || made_;
  stream_.set_mode(relays  ? mode::relay
                   : plays ? mode::play
                           : mode_of(settings_->mode),
                   home().now());
  path_->read_at_once(is_woken_by_packets());
  schedule();
}

bool media_stream::match(const media_stream& other) {
  const auto wanted = terms_with(other);
  if (made_ ? wanted == made_->agreed() : wanted.from == wanted.to)
    return true;
  auto made = made_of(other);
  if (made)
    pass_on(std::move(*made));
  return made.has_value();
}

media_join_result media_stream::join(const media_join& with) {
  using outcome = media_join_result::outcome;
  auto* other = with.other ? dynamic_cast<media_stream*>(with.other->get()) : nullptr;
  if (other == nullptr || other == this)
    return {outcome::no_stream};
  if (&other->home() != &home())
    return {outcome::other_lane}; // nothing else of it is ours to read
  if (!other->owner_)
    return {outcome::no_stream};
  if (setup_.send.empty() || other->setup_.send.empty())
    return {outcome::not_connected};
  if (joined_ == other)
    return {};
  auto ours = made_of(*other);
  auto theirs = other->made_of(*this);
  if (!ours || !theirs)
    return {outcome::other_codec};
  end_join(media_parted::cause::joined_elsewhere, true);
  other->end_join(media_parted::cause::joined_elsewhere, true);
  joined_ = other;
  other->joined_ = this;
  pass_on(std::move(*ours));
  other->pass_on(std::move(*theirs));
  return {};
}

media_join_result media_stream::part() {
  if (joined_ == nullptr)
    return {media_join_result::outcome::not_joined};
  end_join(media_parted::cause::asked, true);
  return {};
}

mixing::terms media_stream::mixing_terms() const noexcept {
  return {static_cast<audio::codec>(setup_.send.front().codec), setup_.packet_time};
}

media_join_result media_stream::mix(const media_mix& how) {
  using outcome = media_join_result::outcome;
  std::vector<media_stream*> heard;
  for (const auto& each : how.of) {
    auto* const one = each ? dynamic_cast<media_stream*>(each->get()) : nullptr;
    if (one == nullptr || one == this || !one->owner_)
      return {outcome::no_stream};
    if (&one->home() != &home())
      return {outcome::other_lane};
    heard.push_back(one);
  }
  std::unique_ptr<mixing> made;
  if (!heard.empty()) {
    if (setup_.send.empty())
      return {outcome::not_connected};
    auto mixed = mixing::make(mixing_terms(), opus_);
    if (!mixed)
      return {outcome::other_codec};
    made = std::move(*mixed);
    transcoded_ = true;
  }
  for (auto* const each : heard)
    each->taps_.push_back(made->add());
  mixed_ = std::move(made);
  set_mode();
  return {};
}

// `tell_own` is false when this one ends, and has no more to do than to let the other go.
void media_stream::end_join(media_parted::cause why, bool tell_own) {
  if (joined_ == nullptr)
    return;
  auto* other = std::exchange(joined_, nullptr);
  other->joined_ = nullptr;
  for (auto* each : {this, other}) {
    if (each == this && !tell_own)
      continue;
    each->made_.reset();
    each->set_mode();
    if (each->owner_)
      lane::tell_from(*each, each->owner_, media_parted{why});
  }
}

} // namespace jackfield
