#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "engine/dtls/handshake.hpp"
#include "engine/lane/lane.hpp"
#include "engine/srtp/master_key.hpp"

namespace jackfield {

class webrtc_services;
class dtls_association;

/// To the worker of handshakes: this one has something to do.
struct dtls_work {
  std::shared_ptr<dtls_association> association;
};

/// What a handshake came to: keys for SRTP, of one profile.
struct dtls_keys {
  srtp::master_key ours;
  srtp::master_key theirs;
};

/// Hears of one association, on its lane.
class dtls_association_user {
public:
  virtual void on_dtls_send(std::span<const std::byte> datagram) = 0;
  virtual void on_dtls_keys(const dtls_keys& keys) = 0;
  /// The last call. The place of `why` is "dtls" or "dtls fingerprint".
  virtual void on_dtls_failed(const error& why) = 0;
  /// The last call: the peer said goodbye.
  virtual void on_dtls_closed() = 0;
  /// Wants `on_timer` called at this time, instead of one told before; `max()`: not at all.
  virtual void on_dtls_deadline(lane::time_point when) = 0;

protected:
  ~dtls_association_user() = default;
};

/// One stream's DTLS handshake: the lane puts in what comes, the pool works on it, and the lane
/// hears what is to be done. All functions but `run` are the lane's. It goes, with some 75 KB that
/// the handshake holds, when keys are there and no peer can ask for its last flight any more.
class dtls_association : public std::enable_shared_from_this<dtls_association> {
public:
  /// `user` may go after `leave`.
  dtls_association(const webrtc_services& services, lane::lane& home, dtls_association_user& user,
                   dtls::role role, dtls::fingerprint_list expected);
  ~dtls_association();
  dtls_association(const dtls_association&) = delete;
  dtls_association& operator=(const dtls_association&) = delete;

  void start();
  void on_datagram(std::span<const std::byte> datagram);
  void on_timer();
  /// Nothing is told any more.
  void leave() noexcept;

  /// On the pool: works off what has come in.
  void run();

private:
  struct input {
    enum class kind : uint8_t { start, datagram, timer };
    kind what = kind::datagram;
    lane::time_point at;
    std::vector<std::byte> datagram = {};
  };
  /// What is told after a step, on the lane.
  struct outcome;
  class flight;

  /// Datagrams that wait for the pool; more are dropped, and the peer repeats its flight.
  static constexpr size_t most_waiting = 32;

  void put(input what);
  void step(const input& in, flight& out);
  void note_end(outcome& told, lane::time_point now);
  void tell(const outcome& told);

  lane::lane& home_;
  dtls_association_user* user_;
  std::shared_ptr<const dtls::identity> identity_;
  caf::actor worker_; // null: in simulated time
  std::mutex mutex_;
  bool left_ = false;          // with the mutex: the lane may be gone
  std::vector<input> waiting_; // with the mutex
  bool scheduled_ = false;     // with the mutex
  // What follows is touched by `run` alone, of which there is one at a time.
  std::unique_ptr<flight> flight_;
  std::unique_ptr<dtls::handshake> handshake_;
  std::optional<dtls::fingerprint_list> expected_;
  dtls::role role_;
  bool keys_told_ = false;
  bool over_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::dtls_work)
