#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/scoped_actor.hpp>

#include "actors/centre/queue.hpp"
#include "actors/node/node.hpp"
#include "app/serving/running_centre.hpp"
#include "engine/error/error.hpp"
#include "engine/scenario/user_table.hpp"
#include "engine/simulation/centre_plan.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield::app {

/// `jackfield serve` within this process, on 127.0.0.1: the queues and agents of a plan, by the
/// rules that `simulate` plays, on a node of its own. Anyone may call the queues; agents register
/// with passwords. Nothing is recorded or kept, and there is no API.
///
/// All of it on one thread, which starts it; what is served runs on the node's own threads.
class embedded_centre {
public:
  struct settings {
    unsigned lanes = 1;                                     ///< to `lane_peers::most`
    transport::protocol callers = transport::protocol::udp; ///< call over this
    transport::protocol agents = transport::protocol::wss;  ///< register over this
    std::string user_agent;                                 ///< as which it says it is
  };

  /// What it counted itself.
  struct counts {
    std::vector<queue_state> queues; ///< in the order of the plan
    uint64_t calls = 0;              ///< that came
    uint64_t refused = 0;            ///< of those
  };

  /// Listens on ports of the kernel's choice, and serves. What callers and agents of the plan do is
  /// not its matter; agents are ready as soon as they are registered. Fails where a plan is not
  /// sound, or has what `serve` has not: two queues of one name, wrap-up that is drawn, or callers
  /// of a priority.
  [[nodiscard]] static result<std::unique_ptr<embedded_centre>>
  start(const simulation::centre_plan& plan, const settings& how);
  /// Calls that are up are forgotten, unless it was stopped.
  ~embedded_centre();
  embedded_centre(const embedded_centre&) = delete;
  embedded_centre& operator=(const embedded_centre&) = delete;

  /// URI by which a queue of the plan is called: "sip:queue-1@127.0.0.1:40123;transport=udp". Who
  /// calls itself by the name of an agent is asked for its password.
  [[nodiscard]] const std::string& number(size_t queue = 0) const { return numbers_.at(queue); }
  /// URI at which agents register: "sip:127.0.0.1:40124;transport=wss".
  [[nodiscard]] const std::string& registrar() const noexcept { return registrar_; }
  /// `user` and `password` of each agent, in the order of the plan; passwords are drawn.
  [[nodiscard]] const scenario::user_table& agents() const noexcept { return agents_; }
  /// Certificates, in PEM, by which clients know its TLS and WSS listeners; empty without any.
  [[nodiscard]] const std::string& trusted_pem() const noexcept { return trusted_pem_; }

  /// To be told what the API of `serve` tells them (`agent_wish` ...). Not after `stop`; copies of
  /// these handles are let go of before it.
  [[nodiscard]] const centre_actors& actors() const noexcept { return centre_.actors(); }

  /// Which part of it an error has ended, if one did: its figures are worth nothing then.
  [[nodiscard]] std::optional<std::string> fault();
  /// How its queues are now, as far as they live. Not after `stop`.
  [[nodiscard]] std::vector<queue_state> ask_queues() { return centre_.ask_queues(); }
  /// Takes no more calls, hangs up those that are up, and ends once they are over: at once, or half
  /// a minute later where a phone is silent. Fails with the `fault`; has ended then, too. Once.
  [[nodiscard]] result<counts> stop();

private:
  explicit embedded_centre(std::unique_ptr<node> engine);
  /// Takes what has been said to it, and waits for something if nothing has and it `waits`.
  void take_notice(bool waits);

  std::unique_ptr<node> engine_;
  std::optional<caf::scoped_actor> self_; // ends before the node
  running_centre centre_;
  std::vector<std::string> numbers_;
  std::string registrar_;
  scenario::user_table agents_;
  std::string trusted_pem_;
};

} // namespace jackfield::app
