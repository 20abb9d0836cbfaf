#include "actors/media/dtls_association.hpp"

#include <utility>

#include <caf/send.hpp>

#include "actors/media/webrtc_services.hpp"

namespace jackfield {

/// The datagrams that a step sends, until the lane has them.
class dtls_association::flight final : public dtls::handshake_sink {
public:
  virtual ~flight() = default;
  void send(std::span<const std::byte> datagram) override {
    datagrams_.emplace_back(datagram.begin(), datagram.end());
  }
  [[nodiscard]] std::vector<std::vector<std::byte>> take() { return std::exchange(datagrams_, {}); }

private:
  std::vector<std::vector<std::byte>> datagrams_;
};

struct dtls_association::outcome {
  std::vector<std::vector<std::byte>> datagrams;
  std::optional<dtls_keys> keys;
  std::optional<error> failure;
  bool closed = false;
  lane::time_point deadline = lane::time_point::max();
};

dtls_association::dtls_association(const webrtc_services& services, lane::lane& home,
                                   dtls_association_user& user, dtls::role role,
                                   dtls::fingerprint_list expected)
    : home_(home), user_(&user), identity_(services.identity()), worker_(services.handshakes()),
      flight_(std::make_unique<flight>()), expected_(std::move(expected)), role_(role) {
  // nop
}

dtls_association::~dtls_association() = default;

void dtls_association::leave() noexcept {
  const std::lock_guard lock{mutex_};
  left_ = true;
  user_ = nullptr;
}

void dtls_association::start() {
  put({input::kind::start, home_.now()});
}

void dtls_association::on_datagram(std::span<const std::byte> datagram) {
  put({input::kind::datagram, home_.now(), {datagram.begin(), datagram.end()}});
}

void dtls_association::on_timer() {
  put({input::kind::timer, home_.now()});
}

void dtls_association::put(input what) {
  {
    const std::lock_guard lock{mutex_};
    if (waiting_.size() >= most_waiting)
      return;
    waiting_.push_back(std::move(what));
    if (std::exchange(scheduled_, true))
      return;
  }
  if (worker_)
    caf::anon_send(worker_, dtls_work{shared_from_this()});
  else
    run();
}

void dtls_association::run() {
  std::vector<input> inputs;
  {
    const std::lock_guard lock{mutex_};
    inputs.swap(waiting_);
    scheduled_ = false;
    if (left_)
      return;
  }
  outcome told;
  for (const auto& in : inputs)
    if (!over_) {
      step(in, *flight_);
      note_end(told, in.at);
    }
  told.datagrams = flight_->take();
  told.deadline = handshake_ && !over_ ? handshake_->deadline() : lane::time_point::max();
  if (handshake_ && !over_ && handshake_->now() == dtls::handshake::state::done)
    told.deadline = handshake_->lingers_until();
  if (!worker_) {
    tell(told);
    return;
  }
  const std::lock_guard lock{mutex_};
  if (!left_)
    home_.post([self = shared_from_this(),
                told = std::make_shared<const outcome>(std::move(told))] { self->tell(*told); });
}

void dtls_association::step(const input& in, flight& out) {
  if (!handshake_) {
    auto made = dtls::handshake::make(identity_, role_, out);
    if (!made)
      return;
    handshake_ = std::move(*made);
    handshake_->expect(std::move(*std::exchange(expected_, std::nullopt)));
    handshake_->start(in.at);
  }
  switch (in.what) {
  case input::kind::start:
    break;
  case input::kind::datagram:
    handshake_->on_datagram(in.datagram, in.at);
    break;
  case input::kind::timer:
    handshake_->on_timer(in.at);
    break;
  }
}

void dtls_association::note_end(outcome& told, lane::time_point now) {
  if (!handshake_) {
    told.failure = error{"dtls", "no association could be made"};
    over_ = true;
    return;
  }
  if (const auto* keys = handshake_->keys(); keys != nullptr && !std::exchange(keys_told_, true)) {
    const auto profile = srtp::profile_of(keys->profile());
    auto ours = srtp::master_key::from(*profile, keys->local());
    auto theirs = srtp::master_key::from(*profile, keys->remote());
    if (ours && theirs)
      told.keys = dtls_keys{*ours, *theirs};
  }
  switch (handshake_->now()) {
  case dtls::handshake::state::failed: {
    const bool stranger = handshake_->reason() == dtls::handshake::failure::fingerprint ||
                          handshake_->reason() == dtls::handshake::failure::no_certificate;
    told.failure = error{stranger ? "dtls fingerprint" : "dtls", std::string{handshake_->cause()}};
    over_ = true;
    break;
  }
  case dtls::handshake::state::closed:
    told.closed = true;
    over_ = true;
    break;
  case dtls::handshake::state::done:
    over_ = handshake_->may_be_freed(now);
    break;
  default:
    break;
  }
  if (over_)
    handshake_.reset();
}

void dtls_association::tell(const outcome& told) {
  // Each call may be the one in which the user leaves.
  for (const auto& datagram : told.datagrams)
    if (user_ != nullptr)
      user_->on_dtls_send(datagram);
  if (user_ != nullptr)
    user_->on_dtls_deadline(told.deadline);
  if (user_ != nullptr && told.keys)
    user_->on_dtls_keys(*told.keys);
  if (user_ != nullptr && told.failure)
    user_->on_dtls_failed(*told.failure);
  else if (user_ != nullptr && told.closed)
    user_->on_dtls_closed();
}

} // namespace jackfield
