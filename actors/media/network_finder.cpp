#include <atomic>
#include <functional>
#include <utility>

#include "actors/media/media_plane.hpp"
#include "actors/media/pair_finder.hpp"
#include "actors/media/webrtc_services.hpp"
#include "engine/ice/agent.hpp"
#include "engine/ice/agent_loop.hpp"

namespace jackfield {

namespace {

/// Packets of a relayed pair on their way from libnice's thread to the lane: some 5 s of a stream.
constexpr int most_waiting_packets = 256;

/// Carries what libnice's thread tells to the lane, for as long as somebody is there to hear it.
class courier final : public ice::agent_observer {
public:
  explicit courier(lane::lane& home, pair_finder_user& user) : home_(home), user_(&user) {}
  virtual ~courier() = default;

  /// On the lane: nothing is told any more.
  void leave() noexcept { user_ = nullptr; }
  [[nodiscard]] bool present() const noexcept { return user_ != nullptr; }
  [[nodiscard]] pair_finder_user& user() noexcept { return *user_; }

  using taken_handler = std::function<void(ice::taken_socket)>;
  taken_handler on_taken; // on the lane

  void know(std::weak_ptr<courier> self) { self_ = std::move(self); }

private:
  void on_candidates(const std::vector<ice::candidate>& found, bool done) override {
    tell([found, done](courier& to) { to.user().on_candidates(found, done); });
  }
  void on_selected(ice::taken_socket taken) override {
    auto shared = std::make_shared<ice::taken_socket>(std::move(taken));
    tell([shared](courier& to) { to.on_taken(std::move(*shared)); });
  }
  void on_relayed_selected(const lane::endpoint& remote) override {
    tell([remote](courier& to) { to.user().on_pair({nullptr, remote, false, {}}); });
  }
  void on_packet(std::span<const std::byte> packet) override {
    if (waiting_.fetch_add(1, std::memory_order_relaxed) >= most_waiting_packets) {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    tell([bytes = std::vector<std::byte>{packet.begin(), packet.end()}](courier& to) {
      to.waiting_.fetch_sub(1, std::memory_order_relaxed);
      to.user().on_relayed(bytes);
    });
  }
  void on_failed(const error& why) override {
    tell([why](courier& to) { to.user().on_no_pair(why); });
  }

  template <class What>
  void tell(What what) {
    home_.post([self = self_.lock(), what = std::move(what)] {
      if (self && self->present())
        what(*self);
    });
  }

  lane::lane& home_;
  pair_finder_user* user_; // on the lane only
  std::weak_ptr<courier> self_;
  std::atomic<int> waiting_ = 0;
};

class network_finder final : public pair_finder {
public:
  network_finder(media_plane& plane, ice::agent_settings settings, pair_finder_user& user,
                 lane::datagram_handler& handler)
      : plane_(plane), handler_(handler), settings_(std::move(settings)),
        courier_(std::make_shared<courier>(plane.home(), user)) {
    courier_->know(courier_);
    courier_->on_taken = [this](ice::taken_socket taken) { adopt(std::move(taken)); };
  }
  ~network_finder() override {
    courier_->leave();
    agent_.close();
  }

  void gather() override { agent_ = plane_.webrtc()->loop().make(settings_, *courier_); }
  // Without an end the agent waits as long: the peer's own checks may tell where it is.
  void check(const ice::credentials& remote, const std::vector<ice::candidate>& candidates,
             bool /*complete*/) override {
    agent_.set_remote(remote, candidates);
  }
  void add(const std::vector<ice::candidate>& candidates, bool complete) override {
    for (const auto& each : candidates)
      agent_.add_remote_candidate(each);
    if (complete)
      agent_.end_remote_candidates();
  }
  void send(std::span<const std::byte> packet) override { agent_.send(packet); }

private:
  void adopt(ice::taken_socket taken) {
    auto& user = courier_->user();
    lane::datagram_options options;
    options.media = true;
    options.buffer_bytes = media_plane::media_buffer_bytes;
    auto socket = plane_.home().adopt_datagram(taken.socket.release(), handler_, options);
    if (!socket) {
      user.on_no_pair(error{"ice checks", socket.error().to_string()});
      return;
    }
    user.on_pair({std::move(*socket), taken.remote, taken.controlling, std::move(taken.early)});
  }

  media_plane& plane_;
  lane::datagram_handler& handler_;
  ice::agent_settings settings_;
  std::shared_ptr<courier> courier_;
  ice::agent agent_;
};

} // namespace

std::unique_ptr<pair_finder> make_network_finder(media_plane& plane, ice::agent_settings settings,
                                                 pair_finder_user& user,
                                                 lane::datagram_handler& handler) {
  return std::make_unique<network_finder>(plane, std::move(settings), user, handler);
}

} // namespace jackfield
