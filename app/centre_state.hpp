#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/scoped_actor.hpp>

#include "actors/centre/centre.hpp"
#include "actors/node/journal.hpp"
#include "app/keep_options.hpp"
#include "app/kept_state.hpp"

namespace jackfield::app {

/// Declares --state, --state-durable and --recover as a contact centre has them. Both must outlive
/// the parsing.
void declare_centre_keep(CLI::App& app, keep_texts& t, keep_options& o);
void read_centre_keep(option_reader& r, const keep_texts& t, keep_options& o);

/// The state directory of `jackfield serve`: calls, bindings, agents and queues are kept there;
/// what the process before left is taken up. On the command's thread.
class centre_state {
public:
  /// Nothing where no directory was asked for.
  static storage::outcome<std::unique_ptr<centre_state>> open(const keep_options& options);

  /// Begins a run, and has the node keep its calls; `watcher`'s messages are for `take`. Before the
  /// centre is started.
  storage::outcome<void> begin(node& engine, const centre_plan& plan, std::string command,
                               const caf::actor& watcher);
  /// What the centre was.
  [[nodiscard]] const centre_memory& memory() const noexcept { return memory_; }
  /// Has the centre's services take up bindings and the calls that go on, and all else that a crash
  /// left end. Before the node starts.
  storage::outcome<void> go_on(node& engine, const std::vector<caf::actor>& services,
                               const caf::actor& watcher);
  /// Where finished calls are; other threads may read there, too.
  [[nodiscard]] const storage::store& records() const noexcept { return state_->store(); }
  /// What became of calls to queues that do not go on: the ends of what the process before began to
  /// tell. Once.
  [[nodiscard]] std::vector<centre_event> take_ends() { return std::exchange(ends_, {}); }

  void take(const calls_recovered& lane);
  void take(const calls_resumed& lane);
  void take(const journal_failing& failing);
  void take(journal_recovered);
  /// Peers of what a crash left are still to be told.
  [[nodiscard]] bool busy() const noexcept { return recovering_ > 0; }

  /// Waits until the last records are written: all that the lanes' actors had to say is said.
  void keep_last(caf::scoped_actor& self);
  /// The node is gone. Ends the run; 0, or the exit code of what could not be written.
  int end(bool lost);

private:
  void tell_callbacks(const std::vector<caf::actor>& services);
  centre_state(std::string directory, std::unique_ptr<kept_state> opened, bool resumes);
  void note_end(const storage::interrupted_call& call);

  std::string directory_;
  std::unique_ptr<kept_state> state_;
  bool resumes_;
  centre_memory memory_;
  std::vector<std::vector<storage::interrupted_call>> returning_; // what goes on, by lane
  std::vector<centre_event> ends_;
  std::vector<caf::actor> last_records_;
  unsigned recovering_ = 0;
  unsigned resuming_ = 0;
  parting_counts parted_{};
  calls_resumed resumed_;
  std::optional<storage::fault> unwritten_;
};

} // namespace jackfield::app
