#include <chrono>
#include <utility>

#include "actors/media/media_plane.hpp"
#include "actors/media/pair_finder.hpp"

namespace jackfield {

namespace {

class simulated_finder final : public pair_finder {
public:
  simulated_finder(media_plane& plane, const ice::agent_settings& settings, pair_finder_user& user,
                   lane::datagram_handler& handler)
      : plane_(plane), user_(user), handler_(handler), controlling_(settings.controlling),
        asks_servers_(settings.stun_server.valid() || !settings.turn.empty()),
        patience_(settings.patience),
        timer_([](void* self) { static_cast<simulated_finder*>(self)->give_up(); }, this) {}

  void gather() override {
    auto socket = plane_.open_rtp(handler_, false);
    if (!socket) {
      user_.on_no_pair(error{"ice gathering", socket.error().to_string()});
      return;
    }
    socket_ = std::move(*socket);
    user_.on_candidates({ice::host_candidate(socket_->local())}, !asks_servers_);
  }

  void check(const ice::credentials& remote, const std::vector<ice::candidate>& candidates,
             bool complete) override {
    add(candidates, complete || !remote.valid());
  }

  void add(const std::vector<ice::candidate>& candidates, bool complete) override {
    if (const auto* const best = ice::best_from(socket_->local(), candidates); best != nullptr)
      user_.on_pair({std::move(socket_), best->address, controlling_, {}});
    else if (complete)
      give_up();
    else if (!timer_.armed())
      plane_.home().arm(timer_, plane_.home().now() + patience_);
  }

  void send(std::span<const std::byte> /*packet*/) override {} // no pair is relayed

private:
  void give_up() {
    user_.on_no_pair(error{"ice checks", "the peer has no address that can be checked"});
  }

  media_plane& plane_;
  pair_finder_user& user_;
  lane::datagram_handler& handler_;
  std::unique_ptr<lane::datagram_socket> socket_;
  bool controlling_;
  bool asks_servers_;
  std::chrono::milliseconds patience_;
  lane::timer timer_;
};

} // namespace

std::unique_ptr<pair_finder> make_simulated_finder(media_plane& plane,
                                                   const ice::agent_settings& settings,
                                                   pair_finder_user& user,
                                                   lane::datagram_handler& handler) {
  return std::make_unique<simulated_finder>(plane, settings, user, handler);
}

} // namespace jackfield
