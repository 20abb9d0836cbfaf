#include "app/centre_asker.hpp"

namespace jackfield::app {

centre_asker::centre_asker(caf::actor_system& system) : thread_([this, &system] { run(system); }) {}

bool centre_asker::add(job what) {
  {
    const std::lock_guard lock{mutex_};
    if (stopped_ || jobs_.size() >= most_jobs)
      return false;
    jobs_.push_back(std::move(what));
  }
  changed_.notify_one();
  return true;
}

void centre_asker::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable())
    thread_.join();
  jobs_.clear();
}

void centre_asker::run(caf::actor_system& system) {
  caf::scoped_actor self{system};
  for (;;) {
    job next;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
      if (stopped_)
        return;
      next = std::move(jobs_.front());
      jobs_.pop_front();
    }
    next(self);
  }
}

} // namespace jackfield::app
