#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/centre/centre.hpp"
#include "app/centre_asker.hpp"
#include "app/centre_view.hpp"
#include "app/http/event_feed.hpp"
#include "app/http/remembered_answers.hpp"
#include "app/http/server.hpp"
#include "app/http/target.hpp"
#include "app/reload_requests.hpp"
#include "storage/store.hpp"

namespace jackfield::app {

/// A contact centre's HTTP API, as app/openapi.json describes it: on a thread of its own, and one
/// more that asks the actors. Public functions are for the thread of the command that serves.
class centre_api final : private http::handler {
public:
  /// Listens at `address`, but answers nobody before `run`.
  static result<std::unique_ptr<centre_api>> listen(const lane::endpoint& address,
                                                    std::string token, centre_plan plan,
                                                    caf::actor_system& system);
  ~centre_api() override;

  [[nodiscard]] const lane::endpoint& address() const noexcept { return server_->address(); }
  /// `records`: where finished calls are kept, which outlives the API; null: nowhere.
  void run(centre_actors actors, const storage::store* records = nullptr);
  /// What is served, and asked, from now on.
  void change(centre_plan plan, centre_actors actors);
  /// `line` is the event as JSON, `seq` one more than that of the event before.
  void take(const centre_event& event, uint64_t seq, std::string line);
  /// Now and then: who waited for events for long enough is answered.
  void on_time() { feed_.on_time(http::event_feed::clock::now()); }
  /// Those who ask for the configuration to be read anew, and are to be told what came of it.
  [[nodiscard]] std::vector<http::reply> take_reload_requests() { return reloads_.take(); }
  /// Tells that no more calls are taken.
  void drain() { draining_ = true; }

private:
  /// A request on its way to its answer.
  struct exchange {
    http::request what;
    http::target target;
    std::string name; ///< what stands in the path's braces
    reply answer_with;
  };
  /// What is served: each request keeps to what it began with.
  struct standing {
    centre_plan plan;
    centre_actors actors;
  };
  struct route {
    std::string_view method;
    std::vector<std::string_view> path; ///< "{}": any name
    bool open;                          ///< to whoever has no token
    void (centre_api::*serve)(exchange&);
  };

  centre_api(std::string token, centre_plan plan, caf::actor_system& system);

  static const std::vector<route>& routes();
  std::optional<http::answer> refuse(const http::request& head) override;
  void serve(http::request what, reply answer_with) override;
  tl::expected<http::opened_socket, http::answer> open_socket(const http::request& head) override;
  /// The same answer again for a key that was there before.
  bool remember(exchange& of);
  static std::optional<size_t> agent_of(const centre_plan& plan, const exchange& of);

  void healthz(exchange& of);
  void metrics(exchange& of);
  void description(exchange& of);
  void reload(exchange& of);
  void list_queues(exchange& of);
  void get_queue(exchange& of);
  void list_agents(exchange& of);
  void get_agent(exchange& of);
  void put_agent_state(exchange& of);
  void end_wrap_up(exchange& of);
  void list_trunks(exchange& of);
  void list_calls(exchange& of);
  void hang_up(exchange& of);
  void list_cdrs(exchange& of);
  void events(exchange& of);
  void supervise(exchange& of);
  void end_supervision(exchange& of);
  void list_recordings(exchange& of);
  void get_recording(exchange& of);

  /// Has `job` made an answer on the thread that may wait.
  void ask(exchange& of, std::function<http::answer(caf::scoped_actor&)> job);
  [[nodiscard]] std::shared_ptr<const standing> current() const;

  const std::string token_;
  mutable std::mutex standing_mutex_;
  std::shared_ptr<const standing> standing_;
  const storage::store* records_ = nullptr; // not changed once it runs
  std::atomic<bool> draining_{false};
  centre_view view_;
  http::event_feed feed_;
  reload_requests reloads_;
  http::remembered_answers remembered_; // the server's thread
  std::optional<centre_asker> asker_;
  std::optional<http::server> server_;
};

} // namespace jackfield::app
