#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/load/answer_script.hpp"
#include "actors/load/answering_users.hpp"
#include "actors/node/node.hpp"
#include "app/answer_options.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/transport/target_selection.hpp"

namespace jackfield::app {

/// Whom `jackfield answer --register` has registered at a PBX while it runs: from the options to
/// the services of the lanes, and what these tell, to standard error.
class registered_users {
public:
  /// Finds the PBX, and our address that faces it. Blocks; an error names the option. `options`
  /// outlives this. The PBX's certificate may be one of `trusted_pem`, too.
  static result<registered_users> prepare(const answer_options& options,
                                          const std::string& trusted_pem = {});

  /// Our address, port 0.
  [[nodiscard]] const lane::endpoint& local() const noexcept { return local_; }
  /// Opens what the PBX reaches the users at, where no listener of ours is that. `former_ports`: of
  /// each lane, tried first. Before the node starts.
  result<void> open(node& engine, const std::vector<uint16_t>& former_ports);
  /// Takes the users as they are in the table. After `open`.
  result<void> read(const answer_manner& manner);

  [[nodiscard]] const std::vector<std::shared_ptr<const call_target>>& targets() const noexcept {
    return targets_;
  }
  [[nodiscard]] const std::shared_ptr<const transport::open_settings>&
  connections() const noexcept {
    return connections_;
  }

  /// Has the services, one a lane, register them; `watcher` gets what `on_standing` and `on_failed`
  /// are for. Once.
  void begin(node& engine, const std::vector<caf::actor>& services, const caf::actor& watcher,
             const user_calls& calls = {});
  void on_standing(const users_standing& lane);
  void on_failed(const user_failed& user);
  /// Each had an answer to its REGISTER, or will have none.
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  /// Who are registered now.
  [[nodiscard]] uint64_t registered() const noexcept;

private:
  explicit registered_users(const answer_options& options) : options_(&options) {}
  [[nodiscard]] bool listens_for_them() const;

  const answer_options* options_;
  transport::target_selection servers_;
  lane::endpoint local_;
  std::shared_ptr<const transport::open_settings> connections_;
  std::vector<std::shared_ptr<const transport::open_settings>> of_lane_;
  std::vector<std::shared_ptr<const call_target>> targets_;
  std::shared_ptr<const user_directory> directory_;
  std::map<unsigned, users_standing> standing_; // by lane
  uint64_t failures_ = 0;                       // that were to be said
  bool complete_ = false;                       // it was said how many are registered
  bool all_ = false;                            // and those were all
};

} // namespace jackfield::app
