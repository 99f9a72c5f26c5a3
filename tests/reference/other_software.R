# Which usual calls in R give the numbers of Entente, and which give others: what docs/other-software.md says of R.
# Needs Debian's r-base-core r-cran-survival r-cran-cmprsk r-cran-sandwich r-cran-survey r-cran-jsonlite.
# Usage, from this folder: Rscript other_software.R. Fails when an expectation has changed. The calls that the golden scripts
# themselves are made of are not repeated here.
suppressMessages({ library(survival); library(cmprsk); library(sandwich); library(survey); library(jsonlite) })
for (p in c("survival", "cmprsk", "sandwich", "survey")) cat(p, as.character(packageVersion(p)), " "); cat(R.version.string, "\n")
failed <- 0
line <- function(expectation, what, ours, theirs, bound) { apart <- max(abs(ours - theirs) / pmax(abs(ours), 1e-12)); holds <- if (expectation == "same") apart <= bound else apart >= bound
  failed <<- failed + !holds; cat(sprintf("%s%-5s %9.1e  %s\n", if (holds) "" else "CHANGED ", expectation, apart, what)) }
same <- function(what, ours, theirs, bound = 1e-8) line("same", what, ours, theirs, bound)
other <- function(what, ours, theirs, bound) line("other", what, ours, theirs, bound)
golden <- function(name) read_json(file.path("golden", paste0(name, ".json")), simplifyVector = TRUE)

# ---- competing causes on months ----
r <- read.csv("rotterdam.csv"); r$tt <- ceiling(r$t / 30.4375); code <- ifelse(r$s == 0, 0, ifelse(r$death == 1 & r$t == r$dtime, 2, 1))
X <- data.frame(chemo = r$chemo, age = r$age, meno = r$meno, mid = as.integer(r$size_c == "20-50"), large = as.integer(r$size_c == ">50"), hormon = r$hormon)
C <- golden("competing")$rotterdam
whole <- C$month$incidence$all; points <- timepoints(cuminc(r$tt, code), whole$times)
same("cumulative incidence: cuminc", whole$cause1, points$est[1, ], 1e-9)
other("its error: cuminc, 0.001 to 1% from survfit's", whole$cause1_se, sqrt(points$var[1, ]), 1e-5)
fitted <- function(grid) { g <- C[[grid]]$fine_gray_1$breslow; t <- if (grid == "day") r$t else r$tt; list(ours = g, theirs = crr(t, code, as.matrix(X), failcode = 1, gtol = 1e-14, maxiter = 50)) }
for (grid in c("day", "month")) { f <- fitted(grid); other(paste0("Fine-Gray, Breslow, on a grid of a ", grid, ": crr parts from finegray where causes and censorings share a time"), f$ours$estimate, f$theirs$coef, 1e-7)
  other("  and its errors count the estimated censoring distribution", f$ours$se_robust, sqrt(diag(f$theirs$var)), 1e-5) }
# Censorings moved behind the events of their cell: what both then count alike.
behind <- r$tt + (code == 0) / 4; g <- crr(behind, code, as.matrix(X), failcode = 1, gtol = 1e-14, maxiter = 50)
same("crr with censorings moved behind the causes of their cell has the coefficients of finegray", C$month$fine_gray_1$breslow$estimate, g$coef, 1e-8)

# ---- weighted models: which call has which error ----
M <- golden("relapsed-myeloma"); d <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- d[!is.na(d$fish), ]; d$a <- as.integer(d$regimen == "IsaPd")
e <- unname(predict(glm(a ~ age + factor(sex, c("M", "F")) + crcl + factor(iss_stage) + ldh_high + I(1 - dara_refr) + I(1 - asct) + I(fish == "high"), binomial, d, control = list(epsilon = 1e-14)), type = "response"))
d$w <- ifelse(d$a == 1, mean(d$a) / e, (1 - mean(d$a)) / (1 - e)); ours <- M$binary$response$iptw_stabilized
f <- suppressWarnings(glm(response ~ a, binomial, d, weights = w, control = list(epsilon = 1e-14)))
same("weighted logistic regression: glm(weights = )", ours$log_odds_ratio, coef(f)[["a"]])
same("robust: sandwich::vcovHC(type = 'HC0')", ours$se_hc0, sqrt(vcovHC(f, type = "HC0")["a", "a"]))
other("robust: sandwich::vcovHC() as it comes is HC3", ours$se_hc0, sqrt(vcovHC(f)["a", "a"]), 1e-4)
other("summary(glm(weights = )) has the naive error", ours$se_hc0, summary(f)$coef["a", "Std. Error"], 1e-2)
s <- svyglm(response ~ a, svydesign(~1, weights = ~w, data = d), family = quasibinomial(), control = list(epsilon = 1e-14))
same("survey: svyglm", ours$se_survey, summary(s)$coef["a", "Std. Error"])
other("  whose p value is of Student's t, not normal", 2 * pnorm(-abs(coef(s)[["a"]] / ours$se_survey)), summary(s)$coef["a", "Pr(>|t|)"], 1e-3)
S <- M$survival_day$pfs$iptw_stabilized; k <- coxph(Surv(pfs_days, pfs_event) ~ a, d, weights = w)
same("weighted Cox: coxph(weights = ) has robust errors when weights are not whole, without being asked", S$se_robust, sqrt(k$var[1]), 1e-8)
u <- coxph(Surv(pfs_days, pfs_event) ~ a, d, weights = w, robust = FALSE); same("naive: robust = FALSE", S$se_naive, sqrt(u$var[1]), 1e-8)

# ---- survival beyond the last patient, intervals ----
l <- read.csv("lung.csv"); k <- survfit(Surv(time, status) ~ sex, l); last <- tapply(l$time, l$sex, max)
s <- summary(k, times = c(90, max(last)))
same("survfit's summary has no row after the last patient of an arm", c(2, 1)[order(-last)], c(table(s$strata)), 0)
other("log-log intervals are not R's default: survfit(conf.type = 'log-log')", summary(survfit(Surv(time, status) ~ 1, l), times = 365)$lower, summary(survfit(Surv(time, status) ~ 1, l, conf.type = "log-log"), times = 365)$lower, 1e-3)
cat(sprintf("\n%d expectations changed\n", failed)); quit(status = failed > 0)
