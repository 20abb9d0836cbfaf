#include "tests/sdp/samples.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace jackfield::tests {

std::vector<sdp_sample> sdp_samples() {
  namespace fs = std::filesystem;
  const fs::path here = __FILE__;
  const fs::path folder =
    here.parent_path().parent_path().parent_path().parent_path() / "shared/data/sdp";
  std::vector<sdp_sample> made;
  std::error_code absent;
  for (const auto& entry : fs::recursive_directory_iterator(folder, absent)) {
    if (entry.path().extension() == ".sdp") {
      std::ifstream file(entry.path(), std::ios::binary);
      made.push_back(
        {entry.path().filename().string(), {std::istreambuf_iterator<char>(file), {}}});
    }
  }
  std::sort(made.begin(), made.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return made;
}

} // namespace jackfield::tests
