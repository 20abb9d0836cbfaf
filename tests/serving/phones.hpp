#pragma once

#include <memory>
#include <optional>
#include <string>

#include <caf/scoped_actor.hpp>

#include "actors/load/answering_users.hpp"
#include "actors/node/node.hpp"
#include "engine/scenario/user_table.hpp"
#include "engine/transport/protocol.hpp"

namespace jackfield::tests {

/// Phones of users who register somewhere, and answer their calls: on a node of their own, as
/// `jackfield answer --register` has them.
class phones {
public:
  /// `trusted_pem`: whom they believe over TLS, and nobody else.
  phones(const std::string& registrar, transport::protocol p, const scenario::user_table& users,
         const std::string& trusted_pem = {});
  ~phones();
  phones(const phones&) = delete;
  phones& operator=(const phones&) = delete;

  /// Waits until all are registered; else why the first one failed.
  std::optional<std::string> failure();

private:
  size_t users_;
  std::unique_ptr<node> engine_;
  std::optional<caf::scoped_actor> self_; // ends before the node
};

} // namespace jackfield::tests
