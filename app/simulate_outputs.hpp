#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "app/simulate_options.hpp"
#include "engine/error/error.hpp"
#include "engine/report/exit_code.hpp"

namespace jackfield::app {

/// Says what was wrong on standard error; the exit code.
int end_with(const error& e, report::exit_code code);

/// Where reports of `jackfield simulate` go: opened before the run, as nobody waits for figures
/// that cannot be written.
class simulate_outputs {
public:
  static result<simulate_outputs> open(const simulate_options& options);

  /// Writes those that were asked for, each made by its function, and the text for people unless
  /// one of them is on standard output. False: one could not be written.
  template <class Json, class Csv, class Html, class Text>
  bool write(const simulate_options& options, Json&& json, Csv&& csv, Html&& html,
             Text&& text) const {
    bool written = true;
    if (json_)
      written = write_all(json_.get(), json()) && written;
    if (csv_)
      written = write_all(csv_.get(), csv()) && written;
    if (html_)
      written = write_all(html_.get(), html()) && written;
    if (!options.quiet && options.json != "-" && options.csv != "-" && options.html != "-")
      written = write_all(stdout, text()) && written;
    return written;
  }

private:
  struct closes_file {
    void operator()(std::FILE* file) const noexcept {
      if (file != stdout)
        std::fclose(file);
    }
  };
  using open_file = std::unique_ptr<std::FILE, closes_file>;

  simulate_outputs(open_file json, open_file csv, open_file html)
      : json_(std::move(json)), csv_(std::move(csv)), html_(std::move(html)) {}
  static result<open_file> open_for(const char* option, const std::string& path);
  static bool write_all(std::FILE* to, const std::string& text);

  open_file json_; // null: none was asked for
  open_file csv_;
  open_file html_;
};

} // namespace jackfield::app
