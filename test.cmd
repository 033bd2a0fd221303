@echo off
rem The same as ./test, for Windows: finds a Python and hands over to packaging\bootstrap.py.
setlocal
set "BOOTSTRAP=%~dp0packaging\bootstrap.py"
set "PYTHON=%~dp0.venv\Scripts\python.exe"
if not exist "%PYTHON%" goto system
"%PYTHON%" -E -S -c "" >nul 2>nul
if errorlevel 1 goto system
"%PYTHON%" -E -s -S "%BOOTSTRAP%" test %*
exit /b %errorlevel%

:system
where py >nul 2>nul
if errorlevel 1 goto plain
py -3 -E -s -S "%BOOTSTRAP%" test %*
exit /b %errorlevel%

:plain
where python >nul 2>nul
if errorlevel 1 goto none
python -E -s -S "%BOOTSTRAP%" test %*
exit /b %errorlevel%

:none
echo Voxline needs Python 3.11 or newer and found none. Get it from python.org and start again. 1>&2
exit /b 1
